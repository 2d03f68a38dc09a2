import { describe, expect, test } from "bun:test";
import { disassemble, objdump, readTable, withFile } from "../../test/support/disassemble.ts";
import { elfHeaders } from "../program/elf.ts";
import { type Arch, codeAddress, headerSize, MACHINE } from "../program/layout.ts";
import { assemble, readInterpreter } from "./assemble.ts";
import { arm64 } from "./interpreter/arm64.ts";
import { x64 } from "./interpreter/x64.ts";
import { Prelude } from "./prelude.ts";

const tables = { x64, arm64 } as const;
const processors = ["x64", "arm64"] as const;

/** exit_group(77): what the process is left to here in the engine's place. */
const engines: Readonly<Record<Arch, Uint8Array>> = {
  // mov edi,77; mov eax,231; syscall
  x64: Uint8Array.of(0xbf, 77, 0, 0, 0, 0xb8, 231, 0, 0, 0, 0x0f, 0x05),
  // mov x0,#77; mov x8,#94; svc #0
  arm64: new Uint8Array(Uint32Array.of(0xd28009a0, 0xd2800bc8, 0xd4000001).buffer),
};

/** An executable that is a prelude and nothing more. */
function executable(arch: Arch, prelude: Prelude): Uint8Array {
  const length = (assemble(prelude, arch, 0).length + 15) & ~15;
  const code = new Uint8Array(length + engines[arch].length);
  code.set(assemble(prelude, arch, length));
  code.set(engines[arch], length);
  const sizes = { code: code.length, segment: 0, space: 0, note: 0 };
  const headers = new Uint8Array(Uint32Array.from(elfHeaders(MACHINE[arch], sizes)).buffer);
  const file = new Uint8Array(0x1000 + 16);
  file.set(headers);
  file.set(code, headerSize);
  return file;
}

const emulator = { x64: "qemu-x86_64-static", arm64: "qemu-aarch64-static" } as const;

/** What runs a processor's programs here; undefined when nothing does. */
function runner(arch: Arch): readonly string[] | undefined {
  if (arch === process.arch) return [];
  const path = Bun.which(emulator[arch]);
  return path ? [path] : undefined;
}

interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

/** Runs a prelude that `record` has recorded. */
function outcome(arch: Arch, args: readonly string[], record: (p: Prelude) => void): Outcome {
  const prelude = new Prelude();
  record(prelude);
  return withFile(executable(arch, prelude), (path) => {
    const { exitCode, stdout } = Bun.spawnSync([...(runner(arch) ?? []), path, ...args], { env: { A: "b" } });
    return { status: exitCode, output: stdout.toString() };
  });
}

describe.each(processors)("the prelude's interpreter for %s", (arch) => {
  test("is small", () => {
    expect(readInterpreter(arch).bytes.length).toBe(arch === "x64" ? 408 : 424);
  });

  test.skipIf(objdump(arch) === undefined)(`is what its table says (needs objdump for ${arch})`, () => {
    const code = readInterpreter(arch).bytes;
    expect(disassemble(arch, code, codeAddress)).toEqual(readTable(arch, tables[arch], codeAddress));
  });
});

for (const arch of processors) {
  describe.skipIf(runner(arch) === undefined)(
    `a prelude on ${arch} (elsewhere needs ${emulator[arch]})`,
    () => {
      const run = (args: readonly string[], record: (p: Prelude) => void) => outcome(arch, args, record);
      /** The exit status is a value. */
      const value = (record: (p: Prelude) => Parameters<Prelude["call"]>[1]) =>
        run([], (p) => void p.call("exit_group", record(p) ?? 0)).status;

      test("is left to the engine where it says so, with the stack as it was", () => {
        expect(run([], (p) => p.leave()).status).toBe(77);
      });

      test("has the arguments and the environment", () => {
        const { status, output } = run(["word"], (p) => {
          const count = p.load(64, p.stack);
          p.call("write", 1, p.load(64, p.stack, 16), 4);
          // After the two arguments and the end of their list.
          p.call("write", 1, p.load(64, p.stack, 8 * 4), 3);
          p.call("exit_group", count);
        });
        expect({ status, output }).toEqual({ status: 2, output: "wordA=b" });
      });

      test("writes constant texts", () => {
        const { output } = run([], (p) => {
          p.call("write", 1, "é", 2);
          p.call("write", 1, "two", 3);
          p.call("write", 1, "é", 2);
          p.call("exit_group", 0);
        });
        expect(output).toBe("étwoé");
      });

      test("calculates", () => {
        expect(value((p) => p.sum(p.variable(40), 2))).toBe(42);
        expect(value((p) => p.sum(p.variable(40), -2))).toBe(38);
        expect(value((p) => p.sum(p.variable(40), p.variable(2)))).toBe(42);
        expect(value((p) => p.difference(40, 2))).toBe(38);
        expect(value((p) => p.masked(0x1234, 0xf0))).toBe(0x30);
        expect(
          value((p) => {
            const product = p.variable(-3);
            p.multiply(product, -14);
            p.increase(product, 1);
            p.increase(product, p.variable(2));
            return product;
          }),
        ).toBe(45);
      });

      test("keeps 64 bits", () => {
        expect(
          value((p) => {
            const large = p.variable(1_000_000_000);
            p.multiply(large, 1_000_000_000);
            p.multiply(large, -2);
            const small = p.variable(0);
            p.when(large, "<", -1, () => p.increase(small, 1));
            p.multiply(large, -1);
            p.when(large, ">=", 2_000_000_000, () => p.increase(small, 2));
            return small;
          }),
        ).toBe(3);
      });

      test("loads and stores", () => {
        expect(
          value((p) => {
            const memory = p.reserve(16);
            p.store(64, memory, 0);
            p.store(64, memory, -1, 8);
            p.store(8, memory, 0x1ff, 1);
            // 00 ff 00 … ff
            p.when(p.load(8, memory, 1), "!=", 0xff, () => p.call("exit_group", 1));
            p.when(p.load(16, memory), "!=", 0xff00, () => p.call("exit_group", 2));
            p.when(p.load(16, memory, 1), "!=", 0xff, () => p.call("exit_group", 3));
            const low = p.load(32, memory, 8);
            p.when(low, "<", 0, () => p.call("exit_group", 4));
            p.when(p.load(64, memory, 8), "!=", -1, () => p.call("exit_group", 5));
            return 42;
          }),
        ).toBe(42);
      });

      test.each([
        ["==", [0, 1, 0]],
        ["!=", [1, 0, 1]],
        ["<", [1, 0, 0]],
        [">=", [0, 1, 1]],
      ] as const)("compares by %s", (is, expected) => {
        for (const [index, left] of [-5, 7, 8].entries()) {
          const status = value((p) => {
            const result = p.variable(9);
            p.when(
              left,
              is,
              7,
              () => p.assign(result, 1),
              () => p.assign(result, 0),
            );
            return result;
          });
          expect(status).toBe(expected[index] ?? -1);
        }
      });

      test("loops until it stops, and goes on at the beginning", () => {
        const sum = value((p) => {
          const [total, round] = [p.variable(0), p.variable(0)];
          p.loop((stop, again) => {
            p.increase(round, 1);
            p.when(round, "==", 3, again);
            p.when(round, "==", 6, stop);
            p.increase(total, round);
          });
          return total;
        });
        expect(sum).toBe(1 + 2 + 4 + 5);
      });

      test("has routines, whose variables are their own", () => {
        const status = value((p) => {
          const double = p.routine(1, (number: ReturnType<Prelude["variable"]>) => {
            p.loop((stop) => {
              const scratch = p.variable(1_000);
              p.increase(scratch, 1);
              stop();
            });
            return p.sum(number, number);
          });
          const quadruple = p.routine(1, (number: ReturnType<Prelude["variable"]>) => double(double(number)));
          const kept = p.variable(5);
          return p.sum(quadruple(kept), kept);
        });
        expect(status).toBe(25);
      });

      test("has parts that are not come back from", () => {
        for (const [number, status] of [
          [3, 11],
          [4, 12],
          [5, 13],
          [6, 14],
        ] as const) {
          const found = value((p) => {
            const result = p.variable(10);
            const { go, goWhen } = p.exit(() => p.call("exit_group", result));
            const given = p.variable(number);
            p.increase(result, 1);
            goWhen(given, "<", 4);
            p.increase(result, 1);
            goWhen(given, "==", 4);
            p.increase(result, 1);
            goWhen(given, "!=", 6);
            p.increase(result, 1);
            goWhen(given, ">=", 7);
            go();
            return 0;
          });
          expect(found).toBe(status);
        }
      });

      test("looks for a byte, or for the end", () => {
        expect(value((p) => p.load(8, p.seek("a b,c", ",".charCodeAt(0)), 1))).toBe("c".charCodeAt(0));
        expect(value((p) => p.difference(p.seek(p.variable("a b,c"), ";".charCodeAt(0)), "a b,c"))).toBe(5);
      });

      test("puts texts together", () => {
        const { status, output } = run([], (p) => {
          const memory = p.reserve(16);
          const end = p.append(p.append(memory, "one "), "two");
          const length = p.difference(end, memory);
          p.call("write", 1, memory, length);
          p.when(p.load(8, end), "==", 0, () => p.call("exit_group", length));
        });
        expect({ status, output }).toEqual({ status: 7, output: "one two" });
      });

      test("gets the kernel's errors as negative numbers", () => {
        expect(value((p) => p.difference(0, p.call("close", 1_000)))).toBe(9);
      });

      test("gives all six arguments to a call", () => {
        // statx(AT_FDCWD, "/", 0, STATX_BASIC_STATS, buffer), then the type bits of stx_mode
        const directory = value((p) => {
          const status = p.reserve(256);
          p.call("statx", -100, "/", 0, 0x7ff, status);
          p.when(p.masked(p.load(16, status, 28), 0o170000), "==", 0o040000, () => p.call("exit_group", 42));
          return 1;
        });
        expect(directory).toBe(42);
      });
    },
  );
}

test("what is too large for an instruction is refused", () => {
  const p = new Prelude();
  expect(() => p.variable(2 ** 31)).toThrow("32 bits");
  expect(() => p.variable(1.5)).toThrow("32 bits");
  expect(() => p.reserve(0x9000)).toThrow("bytes of memory");
  expect(() => {
    for (let count = 0; count < 256; count++) p.variable(0);
  }).toThrow("too many variables");
});
