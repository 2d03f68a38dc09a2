import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { assemble } from "../ffi/prelude/assemble.ts";
import type { Arch } from "../ffi/program/layout.ts";
import { recordPrelude } from "../src/prelude/prelude.ts";
import type { OpenFlags } from "../src/prelude/tools.ts";
import type { Tables } from "./fold-constants.ts";
import type { Patch } from "./redirect-import.ts";

// The executable gets one more segment, behind all others in the file and in memory, and begins there. Its header takes
// the place of that of the notes, which only tell tools which build of Bun this was. Sources: elf(5); fs/binfmt_elf.c,
// which wants the segments in the order of their addresses, as they are then: the notes' header is the last.

const PT = { LOAD: 1, NOTE: 4 } as const;
const readAndExecute = 5;
const entryOffset = 24;
const programHeaderSize = 56;

/** Suits pages of 4, 16 and 64 KiB. */
const alignment = 0x10000;

const align = (offset: number) => Math.ceil(offset / alignment) * alignment;

/**
 * What to write into an executable so that it begins with other code.
 * Throws Error when its last program header is none of notes.
 * @param executable the whole file; it is only read
 * @param make makes the code, which runs wherever it is; it is given where the executable began until now, in bytes from
 *   the code's beginning
 */
export function planBeginning(executable: Buffer, make: (engine: number) => Uint8Array): Patch[] {
  const start = Number(executable.readBigUInt64LE(32));
  const count = executable.readUInt16LE(56);
  const headers = Array.from({ length: count }, (_, index) => start + programHeaderSize * index);
  const last = headers.at(-1) ?? 0;
  if (executable.readUInt32LE(last) !== PT.NOTE) throw new Error("its last program header is none of notes");
  const ends = headers
    .filter((at) => executable.readUInt32LE(at) === PT.LOAD)
    .map((at) => Number(executable.readBigUInt64LE(at + 16) + executable.readBigUInt64LE(at + 40)));
  const offset = align(executable.length);
  const address = align(Math.max(...ends));
  const code = make(Number(executable.readBigUInt64LE(entryOffset)) - address);
  const header = Buffer.alloc(programHeaderSize);
  header.writeUInt32LE(PT.LOAD, 0);
  header.writeUInt32LE(readAndExecute, 4);
  for (const [index, value] of [offset, address, address, code.length, code.length, alignment].entries()) {
    header.writeBigUInt64LE(BigInt(value), 8 + 8 * index);
  }
  const entry = Buffer.alloc(8);
  entry.writeBigUInt64LE(BigInt(address));
  return [
    { offset, bytes: code },
    { offset: last, bytes: header },
    { offset: entryOffset, bytes: entry },
  ];
}

/**
 * Makes an executable run the prelude before its engine.
 * @param executable path; the file is changed, and longer afterwards
 * @param tables the kernel's numbers on that processor
 */
export function putPrelude(executable: string, arch: Arch, tables: Tables): void {
  const file = tables.get(resolve(import.meta.dir, "../ffi/constants/file.ts"));
  const prelude = recordPrelude(file?.O as OpenFlags);
  const patches = planBeginning(readFileSync(executable), (engine) => assemble(prelude, arch, engine));
  const fd = openSync(executable, "r+");
  try {
    for (const { offset, bytes } of patches) writeSync(fd, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(fd);
  }
}
