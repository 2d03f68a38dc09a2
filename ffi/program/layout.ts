// Where everything is in an image and in the memory of its process. The interpreters have these addresses inside.
//
// file:    ELF header, program headers, interpreter | registers, steps, text, data | note
// memory:  codeAddress                              | segmentAddress …, space      | (not mapped)

import type { Area } from "./data.ts";

/** The segment with the ELF header and the interpreter, read and executed. */
export const codeAddress = 0x400000;

/** Where the writable segment begins in the file: the code has a page for itself. */
export const segmentOffset = 0x1000;

/** The writable segment. Its distance to its offset suits pages of 64 KiB too, which arm64 kernels may have. */
export const segmentAddress = 0x411000;

/** The alignment that fits pages of 4, 16 and 64 KiB. */
export const segmentAlignment = 0x10000;

export const pageSize = 0x1000;

/** The next multiple of a power of two. Not by Math, an object of 40 functions that the engine makes when it is used first. */
export const alignUp = (value: number, to: number): number => value + (-value & (to - 1));

/** The writable segment begins with the registers, 8 bytes each. The first is where failures are reported. */
export const registerCount = 256;

/** Results that nobody asked for go to this register. */
export const discardRegister = 255;

export const stepsAddress = segmentAddress + 8 * registerCount;

/**
 * A step: u16 number, u8 arguments that are registers (bit N for argument N), u8 register of the result, u16 steps to go
 * forward on an error (0: fail), u16 the same on a result other than 0 (0: the next), u8[6] error numbers (0: none, and
 * all 0: any), u16 origin, u64[6] arguments.
 */
export const stepSize = 64;

/** Numbers of steps that are no system call. */
export const PSEUDO = { SET: 0xffff, STORE: 0xfffe, EXPECT: 0xfffd } as const;

/** The sixth argument of a step, which no step without a call uses. */
export const failOffset = 16 + 8 * 5;

/** Error numbers a step can tell apart. */
export const errnoCount = 6;

/** ELF header and four program headers; the interpreter follows. */
export const headerSize = 64 + 4 * 56;

/** Memory after the last byte, so that 64 bits can be loaded at any 32-bit field. */
export const spacePadding = 8;

/** What runs the image: e_machine of the ELF header. */
export const MACHINE = { x64: 62, arm64: 183 } as const;

export type Arch = keyof typeof MACHINE;

/** The column of a row of the call table that holds the numbers of a machine. */
export const numberColumn = { x64: 0, arm64: 1 } as const;

/** Name of the ELF note that explains the image. */
export const noteName = "bunc";

/** Bytes of the note before its text: sizes, type, and the name in eight bytes. */
export const noteHeader = 20;

/** Its type, the name as a number. */
export const noteType = 0x636e7562;

/** What the note says, as JSON: everything about the program that its process does not need. */
export interface ImageNote {
  /** How many steps there are. */
  readonly steps: number;
  /** By the origin index of a step. */
  readonly origins: readonly string[];
  /**
   * Slot, first step, last step and name of each register, one after the other: the slot is this register's from the
   * step that writes it first (-1: from the start) to the last that mentions it.
   */
  readonly registers: readonly (number | string)[];
  /** Position, the index of the step that follows, and name of each label. */
  readonly labels: readonly (number | string)[];
  /** Addresses of the areas. */
  readonly areas: Readonly<Record<Area, number>>;
  /** Area, offset, size and note (null: none) of everything in them but the texts. */
  readonly blobs: readonly (Area | number | string | null)[];
  /**
   * Steps that are others once more, for each of them: where they begin, from where to before where those are, and of the
   * names of registers and labels the text that they have there, and the one that they have here.
   */
  readonly repeats: readonly (number | string)[];
  /** A step that BUNC_FAULT replaced, and its 64 bytes before. */
  readonly fault?: readonly [step: number, bytes: readonly number[]];
}
