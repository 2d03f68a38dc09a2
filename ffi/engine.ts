import type * as Ffi from "bun:ffi";

type Engine = Pick<typeof Ffi, "CString" | "dlopen" | "linkSymbols" | "ptr" | "read" | "toArrayBuffer">;

// bun:ffi is a module of JavaScript around an object of the engine. To load it takes 0.4 ms, a tenth of `state`, and it
// adds nothing that is needed here. A Bun that keeps the object elsewhere still has the module.
const engine: Engine = (Bun as { FFI?: Engine }).FFI ?? (require("bun:ffi") as Engine);

export const { CString, ptr, read, toArrayBuffer } = engine;

/** FFIType.i64_fast of bun:ffi: 64 bits, a bigint where a number would not be exact. */
export const word64 = 15 as Ffi.FFIType.i64_fast;

/**
 * Opens a shared library, and makes functions of some of its symbols: dlopen of bun:ffi. Throws Error when there is no
 * such library, or no such symbol in it.
 */
export const dlopen: typeof Ffi.dlopen = (name, functions) => {
  const result = engine.dlopen(name, functions);
  // The engine's own functions return the errors that bun:ffi throws.
  if (result instanceof Error) throw result;
  return result;
};

/** Makes functions of addresses: linkSymbols of bun:ffi. Throws Error when a prototype is none. */
export const linkSymbols: typeof Ffi.linkSymbols = (functions) => {
  const result = engine.linkSymbols(functions);
  if (result instanceof Error) throw result;
  return result;
};
