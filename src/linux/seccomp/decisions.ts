import { X32_SYSCALL_BIT } from "../../../ffi/constants/seccomp.ts";
import { exclusive, type Width } from "./conditions.ts";
import { callNumbers, type TabledArchitecture, x86Multiplexed } from "./numbers.ts";
import type { Condition, PlannedFilter } from "./plan.ts";

/** What is done with a call when all the conditions hold. */
export interface Alternative {
  readonly action: number;
  readonly conditions: readonly Condition[];
}

/** What is done with a call: always the same, or one of several, which exclude each other. */
export type Decision = number | readonly Alternative[];

/** The decisions of a profile for one architecture. */
export interface ArchitectureDecisions {
  readonly architecture: TabledArchitecture;
  readonly width: Width;
  /** By number; calls that are not in it get the default. */
  readonly calls: ReadonlyMap<number, Decision>;
  /** The highest number that the profile names, whatever it says of it; undefined when it names none. */
  readonly last: number | undefined;
}

/** Under this are the calls that Linux numbers in a row; ARM has a few of its own above. */
export const firstPrivateCall = 0xf0000;

// As libseccomp has it: x32 is compared in 32 bits, although its registers have 64.
const widths: Readonly<Record<TabledArchitecture, Width>> = {
  X86_64: 64,
  X86: 32,
  X32: 32,
  AARCH64: 64,
  ARM: 32,
};

const allOnes = 0xffff_ffff_ffff_ffffn;

/** The call that others are made through, with the condition that picks one of them. */
function multiplexed(
  name: string,
  conditions: readonly Condition[],
): { through: string; conditions: Condition[] } | undefined {
  const call = x86Multiplexed.get(name);
  if (call === undefined) return undefined;
  const selector: Condition = { index: 0, op: "EQ", value: BigInt(call.selector), mask: allOnes };
  // The other conditions stay on the arguments of the call that it is made through, where they mean something else. That
  // is libseccomp's choice; a profile that cares decides socketcall and ipc as a whole.
  return { through: call.through, conditions: [selector, ...conditions.filter(({ index }) => index !== 0)] };
}

function decisionOf(alternatives: readonly Alternative[], width: Width): Decision | undefined {
  // Without a condition it goes before all that have one; of several, the first.
  const always = alternatives.find(({ conditions }) => conditions.length === 0);
  if (always !== undefined) return always.action;
  for (const [index, one] of alternatives.entries()) {
    for (const other of alternatives.slice(0, index)) {
      if (one.action !== other.action && !exclusive(one.conditions, other.conditions, width))
        return undefined;
    }
  }
  return alternatives;
}

/**
 * What a profile decides for every call of an architecture.
 * @returns undefined when two rules with different actions take the same call: which of them wins, libseccomp says
 */
export function decideCalls(
  plan: PlannedFilter,
  architecture: TabledArchitecture,
): ArchitectureDecisions | undefined {
  const numbers = callNumbers(architecture);
  const width = widths[architecture];
  const alternatives = new Map<number, Alternative[]>();
  let last: number | undefined;
  const add = (number: number | undefined, action: number, conditions: readonly Condition[]) => {
    if (number === undefined) return;
    if (number - (number & X32_SYSCALL_BIT) < firstPrivateCall && !(number <= (last ?? -1))) last = number;
    // A rule that repeats the default changes nothing, not even what other rules say: libseccomp does not take it.
    if (action === plan.defaultAction) return;
    const known = alternatives.get(number);
    if (known === undefined) alternatives.set(number, [{ action, conditions }]);
    else known.push({ action, conditions });
  };
  for (const { names, action, conditions } of plan.rules) {
    for (const name of names) {
      add(numbers.get(name), action, conditions);
      if (architecture !== "X86") continue;
      const call = multiplexed(name, conditions);
      if (call !== undefined) add(numbers.get(call.through), action, call.conditions);
    }
  }
  const calls = new Map<number, Decision>();
  for (const [number, each] of alternatives) {
    const decision = decisionOf(each, width);
    if (decision === undefined) return undefined;
    calls.set(number, decision);
  }
  return { architecture, width, calls, last };
}
