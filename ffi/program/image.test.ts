import { describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, interpreterBytes } from "./image.ts";
import { arm64 } from "./interpreter/arm64.ts";
import { x64 } from "./interpreter/x64.ts";
import { type Arch, codeAddress, headerSize } from "./layout.ts";
import { newProgram } from "./program.ts";

const tables = { x64, arm64 } as const;

const disassemblers = {
  x64: ["x86_64-linux-gnu-objdump", "objdump", ["-m", "i386:x86-64", "-M", "intel"]],
  arm64: ["aarch64-linux-gnu-objdump", "objdump", ["-m", "aarch64"]],
} as const;

function objdump(arch: Arch): [path: string, options: readonly string[]] | undefined {
  const [crossed, native, options] = disassemblers[arch];
  const path = Bun.which(crossed) ?? (arch === process.arch ? Bun.which(native) : null);
  return path ? [path, options] : undefined;
}

function small(arch: Arch): Uint8Array {
  const program = newProgram({ report: 2 });
  program.exit_group(0);
  return compile(program, arch);
}

function withFile<T>(bytes: Uint8Array, use: (path: string) => T): T {
  const path = join(tmpdir(), `bunc-image-${process.pid}`);
  writeFileSync(path, bytes);
  try {
    return use(path);
  } finally {
    rmSync(path);
  }
}

function run(command: readonly string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command]);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.toString();
}

/** Instructions as objdump prints them, with the addresses of jumps. */
function disassemble(arch: Arch): { address: number; assembly: string }[] {
  const [path, options] = objdump(arch) ?? ["objdump", []];
  const start = codeAddress + headerSize;
  const range = [`--adjust-vma=${codeAddress}`, `--start-address=${start}`];
  const stop = `--stop-address=${start + interpreterBytes(arch).length}`;
  const text = withFile(small(arch), (file) =>
    run([path, "-D", "-b", "binary", ...options, ...range, stop, file]),
  );
  return text.split("\n").flatMap((line) => {
    const [address = "", , ...words] = line.split("\t");
    // A long instruction's bytes go on in a line of their own, without words.
    if (!/^ *[0-9a-f]+:$/.test(address) || words.length === 0) return [];
    const assembly = words
      .join(" ")
      .replace(/ *\/\/.*/, "")
      .replace(/\s+/g, " ")
      .trim();
    return [{ address: Number.parseInt(address, 16), assembly }];
  });
}

/** The table's instructions, with labels replaced by the addresses they stand for. */
function expected(arch: Arch): { address: number; assembly: string }[] {
  const labels = new Map<string, number>();
  const rows: { address: number; assembly: string }[] = [];
  let address = codeAddress + headerSize;
  let start = address;
  for (const entry of tables[arch]) {
    if (typeof entry === "number") {
      address += arch === "x64" ? 1 : 4;
    } else if (entry.endsWith(":")) {
      labels.set(entry.slice(0, -1), address);
    } else {
      rows.push({ address: start, assembly: entry });
      start = address;
    }
  }
  return rows.map(({ address, assembly }) => {
    const target = /^(?:j\w+|b\S*|cbz \w+,|tbz \w+, #\d+,) (\w+)$/.exec(assembly)?.[1];
    const place = target === undefined ? undefined : labels.get(target);
    if (target === undefined || place === undefined) return { address, assembly };
    return {
      address,
      assembly: assembly.slice(0, -target.length) + (place ? `0x${place.toString(16)}` : ""),
    };
  });
}

describe.each(["x64", "arm64"] as const)("the interpreter for %s", (arch) => {
  test("is small and fits into the first page", () => {
    expect(interpreterBytes(arch).length).toBeLessThanOrEqual(350);
    expect(interpreterBytes(arch).length).toBe(arch === "x64" ? 220 : 308);
  });

  test.skipIf(objdump(arch) === undefined)("is what its table says", () => {
    expect(disassemble(arch)).toEqual(expected(arch));
  });
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
