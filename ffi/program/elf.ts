// The headers of a static executable. Source: elf(5), the System V ABI.
import {
  codeAddress,
  headerSize,
  segmentAddress,
  segmentAlignment,
  segmentOffset,
  spacePadding,
} from "./layout.ts";

/** Sizes in bytes of what the headers describe. */
export interface ElfSizes {
  readonly code: number;
  /** The writable segment in the file. */
  readonly segment: number;
  /** Zeroed memory after it. */
  readonly space: number;
  readonly note: number;
}

const PT_LOAD = 1;
const PT_NOTE = 4;
const PT_GNU_STACK = 0x6474e551;
const X = 1;
const W = 2;
const R = 4;

/** Writes ELF header and program headers, headerSize bytes, at the start of `words`. */
export function writeElfHeaders(words: Uint32Array, machine: number, sizes: ElfSizes): void {
  const code = headerSize + sizes.code;
  // e_ident (64 bits, little-endian), e_type ET_EXEC and e_machine, e_version, e_entry, e_phoff, e_shoff, e_flags,
  // e_ehsize and e_phentsize, e_phnum.
  words.set([
    0x464c457f,
    0x00010102,
    0,
    0,
    2 | (machine << 16),
    1,
    codeAddress + headerSize,
    0,
    64,
    0,
    0,
    0,
    0,
  ]);
  words.set([64 | (56 << 16), 4, 0], 13);
  const memory = sizes.segment + sizes.space + spacePadding;
  programHeader(words, 0, [PT_LOAD, R | X, 0, codeAddress, code, code, segmentAlignment]);
  programHeader(words, 1, [
    PT_LOAD,
    R | W,
    segmentOffset,
    segmentAddress,
    sizes.segment,
    memory,
    segmentAlignment,
  ]);
  // Without it arm64 and older x86-64 kernels make the stack executable.
  programHeader(words, 2, [PT_GNU_STACK, R | W, 0, 0, 0, 0, 16]);
  programHeader(words, 3, [PT_NOTE, R, segmentOffset + sizes.segment, 0, sizes.note, 0, 4]);
}

type HeaderFields = readonly [
  type: number,
  flags: number,
  offset: number,
  address: number,
  fileSize: number,
  memorySize: number,
  alignment: number,
];

function programHeader(words: Uint32Array, index: number, fields: HeaderFields): void {
  const [type, flags, offset, address, fileSize, memorySize, alignment] = fields;
  const quads = [offset, 0, address, 0, address, 0, fileSize, 0, memorySize, 0, alignment, 0];
  words.set([type, flags, ...quads], 16 + 14 * index);
}
