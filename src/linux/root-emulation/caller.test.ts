import { ptr } from "bun:ffi";
import { afterAll, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, O } from "../../../ffi/constants/file.ts";
import { openFile, readLink } from "../../../ffi/file.ts";
import { Caller, splitPath } from "./caller.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "bunc-caller-")));
afterAll(() => rmSync(directory, { recursive: true }));
mkdirSync(join(directory, "a"));
writeFileSync(join(directory, "a/f"), "");
symlinkSync("f", join(directory, "a/l"));
symlinkSync(join(directory, "a/f"), join(directory, "a/abs"));

const bytes = (text: string) => new TextEncoder().encode(`${text}\0`);

/** Where a path of this process leads, or the error number. */
function resolved(path: string, dirfd: number = AT.FDCWD, follow = true): string | number {
  using caller = new Caller(process.pid);
  const fd = caller.openPath(bytes(path), dirfd, follow);
  return fd < 0 ? -fd : readLink(`/proc/self/fd/${fd}`).replace(directory, "");
}

describe("a path", () => {
  test("is seen from the root, or from a directory", () => {
    using a = openFile(join(directory, "a"), O.PATH);
    expect(resolved(`${directory}/a/f`)).toBe("/a/f");
    expect(resolved("f", a.fd)).toBe("/a/f");
    expect(resolved("../a/f", a.fd)).toBe("/a/f");
    expect(resolved("abs", a.fd)).toBe("/a/f");
    expect(resolved(`${readLink("/proc/self/cwd").replace(/[^/]+/g, "..").slice(1)}${directory}/a/f`)).toBe(
      "/a/f",
    );
  });

  test("ends at a link, or behind it", () => {
    expect(resolved(`${directory}/a/l`)).toBe("/a/f");
    expect(resolved(`${directory}/a/l`, AT.FDCWD, false)).toBe("/a/l");
  });

  test("of a descriptor is the caller's", () => {
    using f = openFile(join(directory, "a/f"), O.RDONLY);
    for (const path of ["/proc/self/fd", "/proc/thread-self/fd", "/dev/fd"]) {
      expect(resolved(`${path}/${f.fd}`)).toBe("/a/f");
    }
  });

  test("that leads nowhere fails as in the kernel", () => {
    expect(resolved("")).toBe(ERRNO.ENOENT);
    expect(resolved(`${directory}/none`)).toBe(ERRNO.ENOENT);
    expect(resolved(`${directory}/a/f/g`)).toBe(ERRNO.ENOTDIR);
    expect(resolved("f", 9999)).toBe(ERRNO.EBADF);
  });

  test("does not go through what /proc has for links", () => {
    expect(resolved("/proc/self/root/etc")).toBe(ERRNO.ELOOP);
  });
});

test("a path is read from the caller's memory, up to its NUL", () => {
  using caller = new Caller(process.pid);
  const memory = new Uint8Array(3 * 4096).fill(0x61);
  const address = BigInt(ptr(memory));
  expect(caller.readPath(address)).toBe(-ERRNO.ENAMETOOLONG);
  memory[4000] = 0;
  const path = caller.readPath(address);
  expect(typeof path === "number" ? path : path.length).toBe(4001);
  expect(caller.readPath(8n)).toBe(-ERRNO.EFAULT);
  expect(caller.write(address, Uint8Array.of(1, 2))).toBe(true);
  expect([...memory.subarray(0, 3)]).toEqual([1, 2, 0x61]);
  expect(caller.write(8n, Uint8Array.of(1))).toBe(false);
});

test("the mask is the caller's", () => {
  using caller = new Caller(process.pid);
  const wanted = /^Umask:\s*(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  expect(caller.umask).toBe(Number.parseInt(wanted ?? "", 8));
});

test("a path is split into a directory and a name", () => {
  const split = (path: string) => {
    const parts = splitPath(bytes(path));
    const text = (part: Uint8Array) => new TextDecoder().decode(part.subarray(0, -1));
    return parts && [text(parts.directory), text(parts.name)];
  };
  expect(split("/a/b")).toEqual(["/a", "b"]);
  expect(split("/b")).toEqual(["/", "b"]);
  expect(split("b")).toEqual([".", "b"]);
  expect(split("a//b")).toEqual(["a/", "b"]);
  for (const path of ["", "/", "a/", "a/.", "..", "a/.."]) expect(split(path)).toBeUndefined();
});
