import { ERRNO } from "../../ffi/constants/errno.ts";
import { SyscallError } from "../../ffi/error.ts";
import { type Descriptor, readFile, writeFile } from "../../ffi/file.ts";
import { StateError } from "../state/error.ts";
import { files } from "../state/record.ts";
import { directoryOf } from "../state/store.ts";
import type { ContainerOptions } from "./options.ts";

/** Keeps the bytes of config.json in the container's directory, for commands that add processes. Throws SyscallError. */
export function keepConfig({ fd }: Descriptor, bytes: Uint8Array): void {
  writeFile({ dirfd: fd, path: files.config }, bytes, 0o600);
}

/**
 * The bytes of the config.json that a container was created with, or that `update` made of it: the state directory keeps
 * them, for a bundle may have been changed since, or be gone. Throws StateError "damaged", SyscallError.
 */
export function readKeptConfig({ root, id }: ContainerOptions): Uint8Array {
  const path = `${directoryOf(root, id)}/${files.config}`;
  try {
    return readFile(path);
  } catch (error) {
    if (!(error instanceof SyscallError) || error.errno !== ERRNO.ENOENT) throw error;
    throw new StateError("damaged", `the state of container "${id}" is damaged: ${path} is missing`, {
      cause: error,
    });
  }
}
