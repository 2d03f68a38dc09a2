import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { assemble } from "../ffi/prelude/assemble.ts";
import type { Arch } from "../ffi/program/layout.ts";
import { recordPrelude } from "../src/prelude/prelude.ts";
import type { OpenFlags } from "../src/prelude/tools.ts";
import type { Tables } from "./fold-constants.ts";
import { type Patch, writePatches } from "./patch.ts";
import { PT, programHeaderSize, readLong, readProgramHeaders } from "./program-headers.ts";

// The executable gets one more segment, behind all others in the file and in memory, and begins there. Its header takes
// the place of that of the notes, which only tell tools which build of Bun this was. Sources: elf(5); fs/binfmt_elf.c,
// which wants the segments in the order of their addresses, as they are then: the notes' header is the last.

const readAndExecute = 5;
const entryOffset = 24;

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
  const view = new DataView(executable.buffer, executable.byteOffset, executable.byteLength);
  const headers = readProgramHeaders(view);
  const last = headers.at(-1);
  if (last?.type !== PT.NOTE) throw new Error("its last program header is none of notes");
  const segments = headers.filter(({ type }) => type === PT.LOAD);
  const offset = align(executable.length);
  const address = align(Math.max(...segments.map((segment) => segment.address + segment.memory)));
  const code = make(readLong(view, entryOffset) - address);
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
    { offset: last.at, bytes: header },
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
  writePatches(executable, patches);
}
