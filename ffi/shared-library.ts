// Libraries that may be missing. Bun's dlopen looks for a library that the system lacks in the current directory, which is
// the bundle when buildah calls: whoever writes a bundle could have his code run by the runtime. libc's dlopen does not.
import type { FFIFunction, Pointer } from "bun:ffi";
import { CString, dlopen, linkSymbols, word64 } from "./engine.ts";
import { beginCall, lendText } from "./memory.ts";

function openLoader(name: string) {
  return dlopen(name, {
    // void *dlopen(const char *filename, int flags)
    dlopen: { args: [word64, "i32"], returns: "ptr" },
    // void *dlsym(void *handle, const char *symbol)
    dlsym: { args: ["ptr", word64], returns: "ptr" },
    // char *dlerror(void)
    dlerror: { args: [], returns: "ptr" },
  }).symbols;
}

/** Both libraries are part of every glibc, and loaded with Bun: neither is ever looked for elsewhere. */
function loader(): ReturnType<typeof openLoader> {
  try {
    return openLoader("libc.so.6");
  } catch {
    // Before glibc 2.34 the functions were in a library of their own.
    return openLoader("libdl.so.2");
  }
}

const RTLD_NOW = 2;

function lastError(address: Pointer | bigint | null): string {
  return address === null ? "unknown reason" : new CString(Number(address) as Pointer).toString();
}

/**
 * Opens a library where the system keeps them. dlopen(3).
 * @param name soname, without a slash: "libseccomp.so.2"
 * @param functions the prototypes of what is needed, by their names
 * @returns them, to be called
 * @throws Error, with libc's words, when the library is not there or lacks one of them
 */
export function openSharedLibrary<const F extends Record<string, FFIFunction>>(name: string, functions: F) {
  const libc = loader();
  beginCall();
  const handle = libc.dlopen(lendText(name), RTLD_NOW);
  if (handle === null) throw new Error(lastError(libc.dlerror()));
  const found: Record<string, FFIFunction> = {};
  for (const [symbol, prototype] of Object.entries(functions)) {
    beginCall();
    const address = libc.dlsym(handle, lendText(symbol));
    if (address === null) throw new Error(lastError(libc.dlerror()));
    found[symbol] = { ...prototype, ptr: address };
  }
  return linkSymbols(found as F).symbols;
}
