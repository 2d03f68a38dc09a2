import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { assemble } from "../ffi/prelude/assemble.ts";
import { recordPrelude } from "../src/prelude/prelude.ts";
import type { OpenFlags } from "../src/prelude/tools.ts";
import { readTables } from "./fold-constants.ts";
import { planBeginning } from "./prelude.ts";

const root = new URL("..", import.meta.url).pathname;

async function flagsOf(processor: string): Promise<OpenFlags> {
  return (await readTables(processor)).get(`${root}ffi/constants/file.ts`)?.O as OpenFlags;
}

describe("planBeginning", () => {
  const engine = readFileSync(process.execPath);
  const code = Uint8Array.of(1, 2, 3);

  test("puts the code behind everything, and has the executable begin there", () => {
    let distance = 0;
    const patches = planBeginning(engine, (to) => {
      distance = to;
      return code;
    });
    const after = Buffer.alloc(Math.max(...patches.map(({ offset, bytes }) => offset + bytes.length)));
    engine.copy(after);
    for (const { offset, bytes } of patches) after.set(bytes, offset);
    const entry = Number(after.readBigUInt64LE(24));
    const count = after.readUInt16LE(56);
    const segments = Array.from({ length: count }, (_, index) => 64 + 56 * index)
      .filter((at) => after.readUInt32LE(at) === 1)
      .map((at) => ({
        flags: after.readUInt32LE(at + 4),
        offset: Number(after.readBigUInt64LE(at + 8)),
        address: Number(after.readBigUInt64LE(at + 16)),
        size: Number(after.readBigUInt64LE(at + 32)),
        memory: Number(after.readBigUInt64LE(at + 40)),
      }));
    const own = segments.at(-1);
    expect(own).toMatchObject({ flags: 5, address: entry, size: 3 });
    expect(Buffer.from(code).compare(after, own?.offset, (own?.offset ?? 0) + 3)).toBe(0);
    expect(entry + distance).toBe(Number(engine.readBigUInt64LE(24)));
    // The kernel wants them in order, and a page of 64 KiB must not belong to two.
    for (const [index, segment] of segments.entries()) {
      const before = segments[index - 1];
      expect(segment.address % 0x1000).toBe(segment.offset % 0x1000);
      expect(segment.address).toBeGreaterThanOrEqual(before ? before.address + before.memory : 0);
    }
    expect(entry % 0x10000).toBe(0);
    expect((own?.offset ?? 1) % 0x10000).toBe(0);
    expect(own?.offset).toBeGreaterThanOrEqual(engine.length);
  });

  test("refuses an executable with which that was done already", () => {
    const [, header] = planBeginning(engine, () => code);
    const changed = Buffer.from(engine);
    changed.set(header?.bytes ?? [], header?.offset);
    expect(() => planBeginning(changed, () => code)).toThrow("none of notes");
  });
});

describe("the prelude", () => {
  test("opens files with the numbers of the processor that it is for", async () => {
    const [x64, arm64] = [await flagsOf("x64"), await flagsOf("arm64")];
    expect([x64.DIRECTORY, x64.NOFOLLOW]).toEqual([0o200000, 0o400000]);
    expect([arm64.DIRECTORY, arm64.NOFOLLOW]).toEqual([0o40000, 0o100000]);
    const words = (flags: OpenFlags) => recordPrelude(flags).instructions.map(({ number }) => number);
    const how = ({ RDONLY, DIRECTORY, NOFOLLOW, CLOEXEC }: OpenFlags) =>
      RDONLY | DIRECTORY | NOFOLLOW | CLOEXEC;
    expect(words(x64)).toContain(how(x64));
    expect(words(arm64)).toContain(how(arm64));
    expect(words(arm64)).not.toContain(how(x64));
  });

  test.each(["x64", "arm64"] as const)("takes a few pages on %s", async (processor) => {
    const code = assemble(recordPrelude(await flagsOf(processor)), processor, 0);
    expect(code.length).toBeLessThan(32 * 1024);
  });
});
