import { FFIType } from "bun:ffi";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSharedLibrary } from "./shared-library.ts";

const abs = { abs: { args: [FFIType.i32], returns: FFIType.i32 } } as const;

test("a library of the system is opened", () => {
  expect(openSharedLibrary("libc.so.6", abs).abs(-7)).toBe(7);
});

test("a missing library and a missing function are named", () => {
  expect(() => openSharedLibrary("libnosuch.so.9", abs)).toThrow("libnosuch.so.9: cannot open");
  expect(() => openSharedLibrary("libc.so.6", { nosuchfunction: abs.abs })).toThrow("nosuchfunction");
});

test("the current directory is not searched", () => {
  const directory = mkdtempSync(join(tmpdir(), "library-"));
  const before = process.cwd();
  try {
    // Any library will do: found here, it would be opened and its function with it.
    const libc = /\S+\/libc\.so\.6/.exec(
      String(Bun.spawnSync(["ldconfig", "-p"], { env: { PATH: "/usr/sbin:/sbin" } }).stdout),
    );
    symlinkSync(libc?.[0] ?? "/lib/x86_64-linux-gnu/libc.so.6", join(directory, "libnosuch.so.9"));
    process.chdir(directory);
    expect(() => openSharedLibrary("libnosuch.so.9", abs)).toThrow("cannot open");
  } finally {
    process.chdir(before);
    rmSync(directory, { recursive: true });
  }
});
