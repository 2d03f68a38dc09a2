import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { O, S } from "./constants/file.ts";
import { SyscallError } from "./error.ts";
import {
  Descriptor,
  exists,
  isType,
  linkStat,
  listDirectory,
  openFile,
  readFile,
  readLink,
  readText,
  stat,
  writeAtomically,
  writeFile,
  writeValue,
} from "./file.ts";
import { attempt } from "./libc.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "file-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

test("a file is written whole and read whole, by path and by descriptor", () => {
  const path = join(directory, "whole");
  const data = "é".repeat(100_000);
  writeFile(path, data);
  expect(readText(path)).toBe(data);
  using file = openFile(path, O.RDONLY);
  expect(readFile(file.fd).length).toBe(200_000);
  writeFile(path, "short");
  expect(readText(path)).toBe("short");
});

test("a file is seen from an open directory", () => {
  using at = openFile(directory, O.PATH | O.DIRECTORY);
  writeFile({ dirfd: at.fd, path: "inside" }, "1\n", 0o600);
  expect(readText({ dirfd: at.fd, path: "inside" })).toBe("1\n");
  expect(stat({ dirfd: at.fd, path: "inside" }).mode & 0o777).toBe(0o600);
});

test("a descriptor is close-on-exec, closed at the end of its block, and only once", () => {
  let kept = -1;
  {
    using file = openFile(directory, O.RDONLY);
    kept = file.fd;
    expect(attempt.fcntl(file.fd, 1, 0)).toBe(1);
  }
  expect(attempt.fcntl(kept, 1, 0)).toBe(-9);
  const released = openFile(directory, O.RDONLY);
  const fd = released.release();
  released.close();
  expect(attempt.fcntl(fd, 1, 0)).toBe(1);
  new Descriptor(fd).close();
});

test("an atomic write replaces the file and leaves no temporary behind", () => {
  using at = openFile(directory, O.PATH | O.DIRECTORY);
  writeAtomically(at.fd, "state.json", "one");
  writeAtomically(at.fd, "state.json", "two", 0o644);
  expect(readText(join(directory, "state.json"))).toBe("two");
  using list = openFile(directory, O.RDONLY | O.DIRECTORY);
  expect(listDirectory(list.fd).filter((entry) => entry.name.endsWith(".tmp"))).toEqual([]);
  expect(() => writeAtomically(at.fd, "missing/state.json", "x")).toThrow(SyscallError);
});

test("a directory is listed with types, however long it is", () => {
  const names = Array.from({ length: 700 }, (_, index) => `entry-number-${index}`);
  using made = openFile(directory, O.PATH | O.DIRECTORY);
  attempt.mkdirat(made.fd, "many", 0o755);
  for (const name of names) writeFile(join(directory, "many", name), "");
  symlinkSync("x", join(directory, "many", "zz-link"));
  using many = openFile(join(directory, "many"), O.RDONLY | O.DIRECTORY);
  const entries = listDirectory(many.fd);
  expect(entries.length).toBe(701);
  expect(entries.find((entry) => entry.name === "zz-link")?.type).toBe("symlink");
  expect(entries.find((entry) => entry.name === "entry-number-7")?.type).toBe("file");
});

test("status tells devices, types and links", () => {
  const device = stat("/dev/null");
  expect(device.rdev).toEqual({ major: 1, minor: 3 });
  expect(isType(device, S.IFCHR)).toBe(true);
  symlinkSync("/dev/null", join(directory, "link"));
  expect(isType(linkStat(join(directory, "link")), S.IFLNK)).toBe(true);
  expect(readLink(join(directory, "link"))).toBe("/dev/null");
  using file = openFile(directory, O.RDONLY);
  expect(stat(file.fd).ino).toBe(stat(directory).ino);
});

test("what is not there", () => {
  expect(exists(join(directory, "nothing"))).toBe(false);
  expect(exists(directory)).toBe(true);
  expect(() => readFile(join(directory, "nothing"))).toThrow(/openat\(.*nothing/);
  expect(() => writeValue(join(directory, "nothing"), "1")).toThrow(SyscallError);
  expect(exists(join(directory, "nothing"))).toBe(false);
});
