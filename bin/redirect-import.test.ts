import { describe, expect, test } from "bun:test";
import { redirectImport } from "./redirect-import.ts";

/** The file is loaded as a whole at this address. */
const base = 0x40000;
const at = {
  dynamic: 0x100,
  symbols: 0x200,
  calls: 0x300,
  others: 0x380,
  strings: 0x400,
  end: 0x480,
} as const;
const jumpSlot = { x64: 7, arm64: 1026 } as const;
const machine = { x64: 62, arm64: 183 } as const;
const globDat = 6;

interface Relocation {
  symbol: number;
  type: number;
}

/** An executable that imports "read", "setrlimit" and "getrlimit", its symbols 1 to 3, by these relocations. */
function executable(arch: "x64" | "arm64", calls: Relocation[], others: Relocation[] = []): Uint8Array {
  const bytes = new Uint8Array(at.end);
  const view = new DataView(bytes.buffer);
  const longs = (offset: number, ...values: number[]) => {
    for (const [i, value] of values.entries()) view.setBigUint64(offset + 8 * i, BigInt(value), true);
  };
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(18, machine[arch], true);
  longs(32, 64);
  view.setUint16(56, 2, true);
  view.setUint32(64, 1, true);
  longs(64 + 8, 0, base, base, at.end, at.end);
  view.setUint32(64 + 56, 2, true);
  longs(64 + 56 + 8, at.dynamic, base + at.dynamic, base + at.dynamic, 0x100, 0x100);
  // biome-ignore format: a tag and its value
  longs(
    at.dynamic,
    5, base + at.strings, 6, base + at.symbols, 11, 24,
    7, base + at.others, 8, 24 * others.length, 9, 24,
    23, base + at.calls, 2, 24 * calls.length, 20, 7,
    0, 0,
  );
  const strings = "\0read\0setrlimit\0getrlimit\0";
  bytes.set(new TextEncoder().encode(strings), at.strings);
  for (const [i, name] of ["read", "setrlimit", "getrlimit"].entries())
    view.setUint32(at.symbols + 24 * (i + 1), strings.indexOf(`\0${name}\0`) + 1, true);
  const relocate = (offset: number, { symbol, type }: Relocation) => {
    view.setUint32(offset + 8, type, true);
    view.setUint32(offset + 12, symbol, true);
  };
  for (const [i, relocation] of calls.entries()) relocate(at.calls + 24 * i, relocation);
  for (const [i, relocation] of others.entries()) relocate(at.others + 24 * i, relocation);
  return bytes;
}

/** Calls of functions, by the numbers of their symbols. */
function calls(arch: "x64" | "arm64", ...symbols: number[]): Relocation[] {
  return symbols.map((symbol) => ({ symbol, type: jumpSlot[arch] }));
}

const redirect = (elf: Uint8Array) => redirectImport(elf, "setrlimit", "getrlimit");

describe.each(["x64", "arm64"] as const)("%s", (arch) => {
  test("the relocation of one function gets the symbol of the other, and keeps its type", () => {
    const elf = executable(arch, calls(arch, 1, 2, 3));
    const { offset, bytes } = redirect(elf);
    elf.set(bytes, offset);
    expect(elf).toEqual(executable(arch, calls(arch, 1, 3, 3)));
  });

  test("the other function may be one that is not called", () => {
    const elf = executable(arch, calls(arch, 2), [{ symbol: 3, type: globDat }]);
    expect([...redirect(elf).bytes]).toEqual([3, 0, 0, 0]);
  });

  test("a second time there is nothing to redirect", () => {
    expect(() => redirect(executable(arch, calls(arch, 1, 3, 3)))).toThrow("does not import setrlimit");
  });
});

describe("is refused:", () => {
  test("a function that is not imported", () => {
    expect(() => redirect(executable("x64", calls("x64", 1, 3)))).toThrow("does not import setrlimit");
    expect(() => redirect(executable("x64", calls("x64", 1, 2)))).toThrow("does not import getrlimit");
  });

  test("a function whose address is taken", () => {
    const taken = { symbol: 2, type: globDat };
    expect(() => redirect(executable("x64", calls("x64", 2, 3), [taken]))).toThrow("more with setrlimit");
    expect(() => redirect(executable("x64", calls("x64", 3), [taken]))).toThrow("more with setrlimit");
  });

  test("what is no ELF file of a processor that bunc knows", () => {
    const other = executable("x64", []);
    other[18] = 40;
    const bigEndian = executable("x64", []);
    bigEndian[5] = 2;
    for (const bytes of [
      new Uint8Array(),
      new TextEncoder().encode("#!/bin/sh\n".repeat(10)),
      other,
      bigEndian,
    ])
      expect(() => redirect(bytes)).toThrow("no ELF file");
  });

  test("an executable without a dynamic section", () => {
    const elf = executable("x64", []);
    elf[64 + 56] = 4;
    expect(() => redirect(elf)).toThrow("linked statically");
  });

  test("a dynamic section that is not as expected", () => {
    const lacking = executable("x64", calls("x64", 2, 3));
    lacking[at.dynamic + 16] = 99;
    expect(() => redirect(lacking)).toThrow("no entry 6");
    // DT_PLTREL says DT_REL
    const short = executable("x64", calls("x64", 2, 3));
    short[at.dynamic + 8 * 16 + 8] = 17;
    expect(() => redirect(short)).toThrow("unknown entry 20");
  });

  test("an address that is not in the file", () => {
    const elf = executable("x64", calls("x64", 2, 3));
    new DataView(elf.buffer).setBigUint64(at.dynamic + 8, 0x1000n, true);
    expect(() => redirect(elf)).toThrow("nothing at address 0x1000");
  });
});
