import { describe, expect, test } from "bun:test";
import { disassemble, objdump, readTable, run, withFile } from "../../test/support/disassemble.ts";
import { compile } from "./image.ts";
import { arm64 } from "./interpreter/arm64.ts";
import { machineCode, tableBytes } from "./interpreter/machine-code.ts";
import { x64 } from "./interpreter/x64.ts";
import { type Arch, codeAddress, headerSize } from "./layout.ts";
import { newProgram } from "./program.ts";

const tables = { x64, arm64 } as const;

function small(arch: Arch): Uint8Array {
  const program = newProgram({ report: 2 });
  program.exit_group(0);
  return compile(program, arch);
}

describe.each(["x64", "arm64"] as const)("the interpreter for %s", (arch) => {
  test("is small and fits into the first page", () => {
    expect(machineCode(arch).length).toBeLessThanOrEqual(350);
    expect(machineCode(arch).length).toBe(arch === "x64" ? 220 : 308);
  });

  test.skipIf(objdump(arch) === undefined)(`is what its table says (needs objdump for ${arch})`, () => {
    const base = codeAddress + headerSize;
    expect(disassemble(arch, tableBytes(arch, tables[arch]), base)).toEqual(
      readTable(arch, tables[arch], base),
    );
  });
});

test.each(["x64", "arm64"] as const)("an image for %s has the interpreter after its headers", (arch) => {
  const code = machineCode(arch);
  expect([...small(arch).subarray(headerSize, headerSize + code.length)]).toEqual([...code]);
});

describe("the ELF file", () => {
  test.skipIf(!Bun.which("readelf"))("is one that others read without complaint", () => {
    for (const arch of ["x64", "arm64"] as const) {
      const text = withFile(small(arch), (file) => run(["readelf", "-hlW", file]));
      expect(text).toContain("EXEC (Executable file)");
      expect(text).toContain(arch === "x64" ? "X86-64" : "AArch64");
      expect(text).toMatch(/LOAD +0x000000 0x0+400000 .* R E 0x10000/);
      expect(text).toMatch(/LOAD +0x001000 0x0+411000 .* RW {2}0x10000/);
      expect(text).toMatch(/GNU_STACK .* RW {2}0x10/);
    }
  });

  test("is the same for the same program", () => {
    expect(small("x64")).toEqual(small("x64"));
  });

  test("is compact: 64 bytes a step, and space costs nothing", () => {
    const size = (steps: number, space: number) => {
      const program = newProgram();
      program.space(space);
      for (let i = 0; i < steps; i++) program.getpid();
      program.exit_group(0);
      return compile(program).length;
    };
    expect(size(200, 8) - size(100, 8)).toBe(6400);
    expect(size(1, 1_000_000) - size(1, 8)).toBeLessThan(16);
  });
});
