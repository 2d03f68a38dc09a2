import { ERRNO } from "../../ffi/constants/errno.ts";
import { SyscallError } from "../../ffi/error.ts";
import { readFile } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { decodeText } from "../../ffi/memory.ts";
import { SpecError } from "../spec/error.ts";
import { cleanPath } from "../spec/path.ts";

/** A bundle as it is found: where, and the bytes of its config.json. */
export interface FoundBundle {
  /** Absolute path: what the state shows and what relative paths are seen from. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Finds a bundle and reads its configuration.
 * @param bundle directory, seen from the current one
 * @param configPath another file than config.json, seen from the current directory
 * @throws SpecError when the file is missing or cannot be read, with the call in its cause
 */
export function findBundle(bundle: string, configPath: string | undefined): FoundBundle {
  const path = absolutePath(bundle);
  const file = configPath ?? `${path}/config.json`;
  try {
    return { path, bytes: readFile(file) };
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.errno !== ERRNO.ENOENT) throw new SpecError("", `cannot be read (${file})`, { cause: error });
    throw new SpecError("", `is missing: there is no ${file}; --bundle names the directory that holds it`, {
      cause: error,
    });
  }
}

/** A path as runc shows it: absolute, and clean by its letters. */
export function absolutePath(path: string): string {
  return cleanPath(path.startsWith("/") ? path : `${currentDirectory()}/${path}`);
}

function currentDirectory(): string {
  const path = new Uint8Array(4096);
  libc.getcwd(path, path.length);
  return decodeText(path);
}
