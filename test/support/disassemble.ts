/** Compares tables of machine code, as the interpreters are, with what objdump makes of their bytes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Arch } from "../../ffi/program/layout.ts";

/** Bytes or words of instructions, the assembly of each behind them; a label ends with a colon. */
export type CodeTable = readonly (number | string)[];

export interface Disassembled {
  readonly address: number;
  readonly assembly: string;
}

const disassemblers = {
  x64: ["x86_64-linux-gnu-objdump", "objdump", ["-m", "i386:x86-64", "-M", "intel"]],
  arm64: ["aarch64-linux-gnu-objdump", "objdump", ["-m", "aarch64"]],
} as const;

/** The disassembler for a processor, with its options; undefined when this machine has none. */
export function objdump(arch: Arch): readonly string[] | undefined {
  const [crossed, native, options] = disassemblers[arch];
  const path = Bun.which(crossed) ?? (arch === process.arch ? Bun.which(native) : null);
  return path ? [path, ...options] : undefined;
}

/** Does something with a file of these bytes. */
export function withFile<T>(bytes: Uint8Array, use: (path: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "bunc-code-"));
  const path = join(directory, "code");
  writeFileSync(path, bytes, { mode: 0o700 });
  try {
    return use(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The output of a command that succeeds. */
export function run(command: readonly string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command]);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.toString();
}

/** Instructions as objdump prints them, with the addresses of jumps. @param base the address of the first byte */
export function disassemble(arch: Arch, code: Uint8Array, base: number): Disassembled[] {
  const text = withFile(code, (file) =>
    run([...(objdump(arch) ?? ["objdump"]), "-D", "-b", "binary", `--adjust-vma=${base}`, file]),
  );
  return text.split("\n").flatMap((line) => {
    const [address = "", , ...words] = line.split("\t");
    // A long instruction's bytes go on in a line of their own, without words.
    if (!/^ *[0-9a-f]+:$/.test(address) || words.length === 0) return [];
    const assembly = words
      .join(" ")
      .replace(/ *(\/\/| # 0x).*/, "")
      .replace(/\s+/g, " ")
      .trim();
    return [{ address: Number.parseInt(address, 16), assembly }];
  });
}

/** The table's instructions, with labels replaced by the addresses they stand for. */
export function readTable(arch: Arch, table: CodeTable, base: number): Disassembled[] {
  const labels = new Map<string, number>();
  const rows: Disassembled[] = [];
  let address = base;
  let start = base;
  for (const entry of table) {
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
    const target = /^(?:j\w+|b\S*|cbz \w+,|tbz \w+, #\d+,|adr \w+,) (\w+)$/.exec(assembly)?.[1];
    const place = target === undefined ? undefined : labels.get(target);
    if (target === undefined || place === undefined) return { address, assembly };
    return { address, assembly: `${assembly.slice(0, -target.length)}0x${place.toString(16)}` };
  });
}
