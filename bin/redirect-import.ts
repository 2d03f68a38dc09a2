// Makes an executable call another function of a shared library than it was linked with. Each function that it imports
// has a relocation, which tells the dynamic linker the function by the number of a symbol: another number, another function.
// Sources: elf(5); System V ABI, "Dynamic Linking"; the relocation types are those of the processors' supplements to it.

import type { Patch } from "./patch.ts";
import { type ProgramHeader, PT, readLong, readProgramHeaders } from "./program-headers.ts";

const DT = {
  NULL: 0,
  PLTRELSZ: 2,
  STRTAB: 5,
  SYMTAB: 6,
  RELA: 7,
  RELASZ: 8,
  RELAENT: 9,
  SYMENT: 11,
  PLTREL: 20,
  JMPREL: 23,
} as const;
/** By e_machine (EM_X86_64, EM_AARCH64): the relocation of a function that is called and nothing else. */
const jumpSlots: Readonly<Record<number, number>> = { 62: 7, 183: 1026 };
const symbolSize = 24;
/** Elf64_Rela: r_offset, r_info, r_addend; the high half of r_info is the symbol, the low half the type. */
const relocationSize = 24;
const typeOffset = 8;
const symbolOffset = 12;

/** A relocation that names a symbol. */
interface Import {
  readonly name: string;
  readonly symbol: number;
  readonly type: number;
  /** Of the relocation in the file. */
  readonly offset: number;
}

/**
 * What to write into an executable so that it calls one function for another, wherever it calls it.
 * Throws Error when that is not certain: when it is no 64-bit little-endian ELF file of x86-64 or arm64, does not import
 * both functions, or does more with the first than call it.
 * @param executable the whole file; it is only read
 * @param from an imported function
 * @param to another one, which is imported too
 */
export function redirectImport(executable: Uint8Array, from: string, to: string): Patch {
  const elf = new DynamicElf(executable);
  const imports = elf.imports();
  const [slot, second] = imports.filter(({ name }) => name === from);
  if (!slot) throw new Error(`it does not import ${from}`);
  if (second || slot.type !== elf.jumpSlot) throw new Error(`it does more with ${from} than call it`);
  const other = imports.find(({ name }) => name === to);
  if (!other) throw new Error(`it does not import ${to}`);
  const bytes = new Uint8Array(Uint32Array.of(other.symbol).buffer);
  return { offset: slot.offset + symbolOffset, bytes };
}

class DynamicElf {
  readonly jumpSlot: number;
  private readonly view: DataView;
  private readonly headers: readonly ProgramHeader[];
  private readonly dynamic: ReadonlyMap<number, number>;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // e_ident: the magic number, ELFCLASS64, ELFDATA2LSB
    const isElf = bytes.length > 64 && this.view.getUint32(0) === 0x7f454c46;
    const jumpSlot =
      isElf && this.view.getUint16(4) === 0x0201 ? jumpSlots[this.view.getUint16(18, true)] : undefined;
    if (jumpSlot === undefined) throw new Error("it is no ELF file of x86-64 or arm64");
    this.jumpSlot = jumpSlot;
    this.headers = readProgramHeaders(this.view);
    this.dynamic = this.readDynamic();
  }

  /** Every relocation that names a symbol. */
  imports(): Import[] {
    const expected = [
      [DT.SYMENT, symbolSize],
      [DT.RELAENT, relocationSize],
      [DT.PLTREL, DT.RELA],
    ] as const;
    for (const [tag, value] of expected) {
      if (this.entry(tag) !== value) throw new Error(`its dynamic section has an unknown entry ${tag}`);
    }
    const calls = this.relocations(this.entry(DT.JMPREL), this.entry(DT.PLTRELSZ));
    const others = this.relocations(this.entry(DT.RELA), this.entry(DT.RELASZ));
    return [...calls, ...others];
  }

  private relocations(address: number, size: number): Import[] {
    const found: Import[] = [];
    const start = this.fileOffset(address);
    for (let offset = start; offset < start + size; offset += relocationSize) {
      const symbol = this.view.getUint32(offset + symbolOffset, true);
      if (symbol === 0) continue;
      found.push({
        name: this.symbolName(symbol),
        symbol,
        type: this.view.getUint32(offset + typeOffset, true),
        offset,
      });
    }
    return found;
  }

  private symbolName(symbol: number): string {
    const symbols = this.fileOffset(this.entry(DT.SYMTAB));
    const start =
      this.fileOffset(this.entry(DT.STRTAB)) + this.view.getUint32(symbols + symbolSize * symbol, true);
    return new TextDecoder().decode(this.bytes.subarray(start, this.bytes.indexOf(0, start)));
  }

  private readDynamic(): ReadonlyMap<number, number> {
    const section = this.headers.find(({ type }) => type === PT.DYNAMIC);
    if (!section) throw new Error("it is linked statically");
    const entries = new Map<number, number>();
    for (let at = section.offset; at < section.offset + section.size; at += 16) {
      const tag = readLong(this.view, at);
      if (tag === DT.NULL) break;
      entries.set(tag, readLong(this.view, at + 8));
    }
    return entries;
  }

  private entry(tag: number): number {
    const value = this.dynamic.get(tag);
    if (value === undefined) throw new Error(`its dynamic section has no entry ${tag}`);
    return value;
  }

  private fileOffset(address: number): number {
    for (const header of this.headers) {
      const within = address - header.address;
      if (header.type === PT.LOAD && within >= 0 && within < header.size) return header.offset + within;
    }
    throw new Error(`it has nothing at address 0x${address.toString(16)}`);
  }
}
