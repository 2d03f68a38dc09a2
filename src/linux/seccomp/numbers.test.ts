import { expect, test } from "bun:test";
import { SECCOMP_ARCH, X32_SYSCALL_BIT } from "../../../ffi/constants/seccomp.ts";
import { resolveCall, resolveCallFor } from "../../../ffi/seccomp.ts";
import { callTable, hasTable } from "./call-table.ts";
import { callNumbers, type TabledArchitecture, x86Multiplexed } from "./numbers.ts";

const tabled: readonly TabledArchitecture[] = ["X86_64", "X86", "X32", "AARCH64", "ARM"];
const multiplexedCalls = x86Multiplexed();
const tables = new Map(tabled.map((architecture) => [architecture, callNumbers(architecture)]));
const names = new Set([...tables.values()].flatMap((numbers) => [...numbers.keys()]));

test("a few numbers are the kernel's", () => {
  const row = (name: string) => tabled.map((architecture) => tables.get(architecture)?.get(name));
  expect(row("read")).toEqual([0, 3, 0x4000_0000, 63, 3]);
  expect(row("ioctl")).toEqual([16, 54, 0x4000_0202, 29, 54]);
  expect(row("openat2")).toEqual([437, 437, 0x4000_01b5, 437, 437]);
  expect(row("mseal")).toEqual([462, 462, 0x4000_01ce, 462, 462]);
  expect(row("memfd_secret")).toEqual([447, 447, 0x4000_01bf, 447, undefined]);
  expect(row("set_tls")).toEqual([undefined, undefined, undefined, undefined, 0xf0005]);
});

test.each([...tabled])(
  "the table of %s has libseccomp's numbers for every name that both know",
  (architecture) => {
    for (const name of names) {
      // libseccomp says unknown for calls of kernels after it.
      if (resolveCall(name) === undefined) continue;
      const theirs = resolveCallFor(SECCOMP_ARCH[architecture], name) ?? -1;
      const multiplexed = architecture === "X86" ? multiplexedCalls.get(name) : undefined;
      if (multiplexed) {
        // Its own number, where there is one, libseccomp keeps to itself; -1NN and -2NN name the selector.
        const base = multiplexed.through === "socketcall" ? 100 : 200;
        expect([name, theirs]).toEqual([name, -base - multiplexed.selector]);
      } else {
        expect([name, tables.get(architecture)?.get(name)]).toEqual([name, theirs < 0 ? undefined : theirs]);
      }
    }
  },
);

test.each([...tabled])("the table that filters are compiled with has the numbers of %s", (architecture) => {
  const table = callTable(architecture);
  const base = architecture === "X32" ? X32_SYSCALL_BIT : 0;
  const rows = table.names.split(" ");
  const found = rows
    .map((name, row) => [name, (table.numbers[architecture]?.[row] ?? -1) + base] as const)
    .filter(([, number]) => number >= base);
  expect(new Map(found)).toEqual(new Map(tables.get(architecture)));
});

test("it says which calls x86 makes through another one", () => {
  const { names: text, selectors, through } = callTable("X86");
  const rows = text.split(" ");
  for (const [row, selector] of selectors.entries()) {
    const call = multiplexedCalls.get(rows[row] ?? "");
    expect([rows[row], Math.abs(selector)]).toEqual([rows[row], call?.selector ?? 0]);
    if (call) expect(selector < 0).toBe(call.through === "ipc");
  }
  expect(through).toEqual({ socketcall: 102, ipc: 117 });
});

test("other architectures have no table", () => {
  expect(hasTable("RISCV64")).toBe(false);
});
