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

/** The 32-bit words of ELF header and program headers, headerSize bytes. */
export function elfHeaders(machine: number, sizes: ElfSizes): number[] {
  const code = headerSize + sizes.code;
  const memory = sizes.segment + sizes.space + spacePadding;
  const note = segmentOffset + sizes.segment;
  const entry = codeAddress + headerSize;
  // biome-ignore format: a row of header fields each
  return [
    // e_ident: 64 bits, little-endian; e_type ET_EXEC and e_machine; e_version
    0x464c457f, 0x00010102, 0, 0, 2 | (machine << 16), 1,
    // e_entry, e_phoff, e_shoff, e_flags; e_ehsize and e_phentsize; e_phnum
    entry, 0, 64, 0, 0, 0, 0, 64 | (56 << 16), 4, 0,
    // p_type, p_flags, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
    PT_LOAD, R | X, 0, 0, codeAddress, 0, codeAddress, 0, code, 0, code, 0, segmentAlignment, 0,
    PT_LOAD, R | W, segmentOffset, 0, segmentAddress, 0, segmentAddress, 0, sizes.segment, 0, memory, 0,
    segmentAlignment, 0,
    // Without it arm64 and older x86-64 kernels make the stack executable.
    PT_GNU_STACK, R | W, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0,
    PT_NOTE, R, note, 0, 0, 0, 0, 0, sizes.note, 0, 0, 0, 4, 0,
  ];
}
