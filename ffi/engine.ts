import type * as Ffi from "bun:ffi";

type Engine = Pick<typeof Ffi, "CString" | "dlopen" | "linkSymbols" | "ptr" | "read" | "toArrayBuffer">;

// bun:ffi is a module of JavaScript around an object of the engine. To load it takes 0.4 ms, a tenth of `state`, and it
// adds nothing that is needed here. A Bun that keeps the object elsewhere still has the module.
const engine: Engine = (Bun as { FFI?: Engine }).FFI ?? (require("bun:ffi") as Engine);

export const { CString, ptr, read, toArrayBuffer } = engine;

/** FFIType.i64_fast of bun:ffi: 64 bits, a bigint where a number would not be exact. */
export const word64 = 15 as Ffi.FFIType.i64_fast;

/** The engine's functions return the errors that bun:ffi throws. */
function orThrow<T>(result: T): T {
  if (result instanceof Error) throw result;
  return result;
}

/**
 * Opens a shared library, and makes functions of some of its symbols: dlopen of bun:ffi. Throws Error when there is no
 * such library, or no such symbol in it.
 */
export const dlopen: typeof Ffi.dlopen = (name, functions) => orThrow(engine.dlopen(name, functions));

/** Makes functions of addresses: linkSymbols of bun:ffi. Throws Error when a prototype is none. */
export const linkSymbols: typeof Ffi.linkSymbols = (functions) => orThrow(engine.linkSymbols(functions));
