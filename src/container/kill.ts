import { StateError } from "../state/error.ts";
import { load } from "../state/store.ts";
import { openInit, signalInit } from "./init.ts";
import type { KillOptions } from "./options.ts";

/**
 * Sends a signal to the container's init. Takes no lock: it must work while `start` waits for something.
 * @throws StateError "missing", "damaged", "invalid"; "conflict" when the container is stopped; SyscallError
 */
export function killContainer({ root, id, signal, log }: KillOptions): void {
  const record = load(root, id);
  using pidfd = openInit(record);
  // containerd's shim looks for these three words.
  if (!pidfd || !signalInit(pidfd, signal))
    throw new StateError("conflict", `container not running: "${id}"`);
  log.debug(`sent signal ${signal} to process ${record.pid}`);
}
