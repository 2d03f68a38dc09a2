// The program headers of an executable: elf(5), Elf64_Ehdr and Elf64_Phdr, little-endian.

export const PT = { LOAD: 1, DYNAMIC: 2, NOTE: 4 } as const;

export const programHeaderSize = 56;

/** What of a header is asked for here. */
export interface ProgramHeader {
  /** Where it is in the file itself. */
  readonly at: number;
  readonly type: number;
  /** Of what it describes, in the file. */
  readonly offset: number;
  readonly address: number;
  /** Bytes in the file, and in memory. */
  readonly size: number;
  readonly memory: number;
}

/** 64 bits; a file is smaller than 2^53 bytes, and so is every address that is looked up. */
export const readLong = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

/** The headers, in their order. @param view of a 64-bit little-endian ELF file */
export function readProgramHeaders(view: DataView): ProgramHeader[] {
  const start = readLong(view, 32);
  return Array.from({ length: view.getUint16(56, true) }, (_, index) => {
    const at = start + programHeaderSize * index;
    return {
      at,
      type: view.getUint32(at, true),
      offset: readLong(view, at + 8),
      address: readLong(view, at + 16),
      size: readLong(view, at + 32),
      memory: readLong(view, at + 40),
    };
  });
}
