import { describe, expect, test } from "bun:test";
import { SECCOMP_ARCH, SECCOMP_RET } from "../../../ffi/constants/seccomp.ts";
import { decide } from "../../../test/support/bpf.ts";
import { emulatedCalls, planEmulation } from "./emulation.ts";
import { callNumbers, type TabledArchitecture } from "./numbers.ts";
import { compileTree } from "./tree.ts";

function compiled(arch: "x64" | "arm64"): Uint8Array {
  const filter = compileTree(planEmulation({ arch }));
  if (filter === undefined) throw new Error("not compiled");
  return filter;
}

const machines: readonly ["x64" | "arm64", readonly TabledArchitecture[]][] = [
  ["x64", ["X86_64", "X86", "X32"]],
  ["arm64", ["AARCH64", "ARM"]],
];

const always = new Set<string>(Object.values(emulatedCalls).flat());

// mknod(2): the types of a mode, and bits that the kernel does not look at.
const types = { fifo: 0o010000, character: 0o020000, block: 0o060000, regular: 0o100000, socket: 0o140000 };
const success = SECCOMP_RET.ERRNO;

for (const [machine, architectures] of machines) {
  const filter = compiled(machine);
  for (const architecture of architectures) {
    const kernel = architecture === "X32" ? SECCOMP_ARCH.X86_64 : SECCOMP_ARCH[architecture];
    const numbers = callNumbers(architecture);
    const action = (name: string, args: readonly bigint[] = []) =>
      decide(filter, { number: numbers.get(name) ?? -1, architecture: kernel, args }).action;

    describe(`${architecture} on ${machine}`, () => {
      test("the listed calls are answered with success, every other one passes", () => {
        const aliases = new Set([...always].map((name) => numbers.get(name)));
        const wrong = [...numbers].filter(([name, number]) => {
          const isEmulated = aliases.has(number);
          return action(name) !== (isEmulated ? success : SECCOMP_RET.ALLOW);
        });
        expect(wrong).toEqual([]);
      });

      test("numbers that no call has pass", () => {
        for (const number of [-1, 2 ** 31 - 1, 1000, 0x4000_0fff]) {
          const call = { number: number >>> 0, architecture: kernel, args: [] };
          expect(decide(filter, call).action).toBe(SECCOMP_RET.ALLOW);
        }
      });

      test("of mknod and mknodat, devices are answered, other files are made", () => {
        const calls = [
          ["mknod", 1],
          ["mknodat", 2],
        ] as const;
        for (const [name, index] of calls) {
          if (!numbers.has(name)) continue;
          for (const [type, bits] of Object.entries({ none: 0, ...types })) {
            for (const mode of [0n, 0o644n, 0o7777n, 0xffff_0000n, 0xabcd_ef01_0000_0000n]) {
              const args = [1n, 2n, 3n, 4n];
              args[index] = mode | BigInt(bits);
              const isDevice = type === "character" || type === "block";
              expect([name, type, action(name, args)]).toEqual([
                name,
                type,
                isDevice ? success : SECCOMP_RET.ALLOW,
              ]);
            }
          }
        }
      });

      test("what makes a container, and the execution, pass", () => {
        for (const name of [
          "execve",
          "seccomp",
          "prctl",
          "mount",
          "chmod",
          "fchmod",
          "exit_group",
          "getuid",
        ]) {
          if (numbers.has(name)) expect([name, action(name)]).toEqual([name, SECCOMP_RET.ALLOW]);
        }
      });
    });
  }
}

test("every name is a call of some architecture", () => {
  const all = new Set(
    machines.flatMap(([, names]) => names.flatMap((name) => [...callNumbers(name).keys()])),
  );
  expect([...always].filter((name) => !all.has(name))).toEqual([]);
});

test("the filter is short, and no call goes through many instructions", () => {
  const filter = compiled("x64");
  expect(filter.length / 8).toBeLessThan(150);
  for (let number = 0; number < 500; number++) {
    const call = { number, architecture: SECCOMP_ARCH.X86_64, args: [] };
    expect(decide(filter, call).steps).toBeLessThan(20);
  }
});
