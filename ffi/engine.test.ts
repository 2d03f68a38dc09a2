import * as ffi from "bun:ffi";
import { expect, test } from "bun:test";
import { dlopen, linkSymbols, ptr, read, word64 } from "./engine.ts";

test("the numbers of types are those of bun:ffi", () => {
  expect(word64).toBe(ffi.FFIType.i64_fast);
});

test("a library's functions can be called, and it says what it lacks", () => {
  const { symbols } = dlopen("libc.so.6", { getpid: { args: [], returns: "i32" } });
  expect(symbols.getpid()).toBe(process.pid);
  expect(() => dlopen("libc.so.6", { no_such_function: { args: [], returns: "i32" } })).toThrow(
    /no_such_function/,
  );
  expect(() => dlopen("libnone.so.7", { getpid: { args: [], returns: "i32" } })).toThrow(/libnone\.so\.7/);
  expect(() => linkSymbols({ none: { args: [], returns: "i32" } })).toThrow(/ptr/);
});

test("memory is read by its address", () => {
  const bytes = Uint32Array.of(7, 4711);
  expect(read.u32(ptr(bytes), 4)).toBe(4711);
});
