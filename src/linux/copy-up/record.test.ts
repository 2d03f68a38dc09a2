import { describe, expect, test } from "bun:test";
import { S } from "../../../ffi/constants/file.ts";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram } from "../../../ffi/program/program.ts";
import { IdMap } from "./ids.ts";
import { recordCopies } from "./record.ts";
import type { Entry } from "./walk.ts";

const none = { major: 0, minor: 0 };

function entry(name: string, mode: number, changes: Partial<Entry["status"]> = {}, directory = "."): Entry {
  const status = { mode, uid: 100, gid: 100, links: 1, size: 0, ino: 1n, dev: none, rdev: none, ...changes };
  return { directory, name, status, link: "", attributes: [] };
}

function lines(...entries: Entry[]): string[] {
  const program = newProgram();
  const map = new IdMap("0 100 10\n", false);
  recordCopies(program, entries, { source: 3, target: 4 }, { uid: map, gid: map }, "m");
  return listing(program);
}

describe("IdMap", () => {
  test("the caller's numbers become the container's", () => {
    const map = new IdMap("         0     100000      1000\n      2000       5000          1\n", false);
    expect([100_000, 100_999, 101_000, 5000, 0].map((id) => map.inside(id))).toEqual([
      0,
      999,
      undefined,
      2000,
      undefined,
    ]);
  });

  test("in the caller's own user namespace they are the same, as far as it has them", () => {
    const map = new IdMap("0 1000 1\n1 100000 100\n", true);
    expect([0, 100, 101, 65_534].map((id) => map.inside(id))).toEqual([0, 100, undefined, undefined]);
    expect(new IdMap("", true).inside(7)).toBe(7);
  });
});

describe("recordCopies", () => {
  test("a directory is opened once for all that is in it", () => {
    const all = lines(entry("a", S.IFIFO), entry("b", S.IFIFO), entry("c", S.IFIFO, {}, "sub"));
    expect(all.filter((line) => line.includes("openat2(")).length).toBe(4);
  });

  test("an owner without a number in the container becomes root, and its set-id bits go", () => {
    const owners = (uid: number) =>
      lines(entry("f", S.IFREG | 0o4755, { uid })).filter((line) => /fch(own|mod)\(/.test(line));
    expect(owners(105)).toEqual([expect.stringContaining(", 5, 0)"), expect.stringContaining(", 04755)")]);
    expect(owners(7)).toEqual([expect.stringContaining(", 0, 0)"), expect.stringContaining(", 0755)")]);
  });

  test("a large file takes several calls, an empty one none", () => {
    const moves = (size: number) =>
      lines(entry("f", S.IFREG, { size })).filter((line) => line.includes("sendfile(")).length;
    expect([0, 1, 0x7fff_f000, 0x7fff_f001].map(moves)).toEqual([0, 1, 1, 2]);
  });

  test("a file must still be what it was", () => {
    const all = lines(entry("f", S.IFREG, { size: 5 })).join("\n");
    expect(all.indexOf("newfstatat")).toBeLessThan(all.indexOf("expect("));
    expect(all.indexOf("expect(")).toBeLessThan(all.indexOf("O_EXCL"));
  });
});
