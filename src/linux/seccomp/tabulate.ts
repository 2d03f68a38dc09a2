// Runs when bunc is built: call-table.ts imports it as a macro.
import { X32_SYSCALL_BIT } from "../../../ffi/constants/seccomp.ts";
import { firstPrivateCall, mostCalls } from "./call-ranges.ts";
import { callNumbers, type TabledArchitecture, x86Multiplexed } from "./numbers.ts";

/** The calls of some architectures in one table: a name is looked up once for all of them. */
export interface CallTable {
  /** The names, a blank between two of them. */
  readonly names: string;
  /** By architecture the number of each name, without the bit of x32; -1 where there is no such call. */
  readonly numbers: Readonly<Partial<Record<TabledArchitecture, readonly number[]>>>;
  /** For each name what tells socketcall on x86 that this call is meant, for ipc less than 0; 0 for all other calls. */
  readonly selectors: readonly number[];
  /** The numbers of those two. */
  readonly through: { readonly socketcall: number; readonly ipc: number };
}

/** Makes the table of these architectures. Throws RangeError for a number that no table of decisions has room for. */
export function tabulate(...architectures: TabledArchitecture[]): CallTable {
  const names = new Set<string>();
  const numbers: Partial<Record<TabledArchitecture, number[]>> = {};
  for (const architecture of architectures)
    for (const name of callNumbers(architecture).keys()) names.add(name);
  for (const architecture of architectures) {
    const known = callNumbers(architecture);
    const base = architecture === "X32" ? X32_SYSCALL_BIT : 0;
    const row = [...names].map((name) => (known.get(name) ?? base - 1) - base);
    const wrong = row.find((number) => number >= mostCalls && number < firstPrivateCall);
    if (wrong !== undefined) throw new RangeError(`${architecture} has a call ${wrong}: raise mostCalls`);
    numbers[architecture] = row;
  }
  const multiplexed = x86Multiplexed();
  const selectors = [...names].map((name) => {
    const call = multiplexed.get(name);
    if (call === undefined) return 0;
    return call.through === "ipc" ? -call.selector : call.selector;
  });
  const x86 = callNumbers("X86");
  const through = { socketcall: x86.get("socketcall") ?? -1, ipc: x86.get("ipc") ?? -1 };
  return { names: [...names].join(" "), numbers, selectors, through };
}
