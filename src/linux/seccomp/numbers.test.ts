import { expect, test } from "bun:test";
import { SECCOMP_ARCH } from "../../../ffi/constants/seccomp.ts";
import { resolveCall, resolveCallFor } from "../../../ffi/seccomp.ts";
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
