import { SIG } from "../../ffi/constants/signal.ts";
import { StateError } from "../state/error.ts";
import type { StateRecord } from "../state/record.ts";
import { load } from "../state/store.ts";
import { killInit, openInit, signalInit } from "./init.ts";
import type { KillOptions } from "./options.ts";

/** Signals what is in the container's cgroups; false when it has none, or nothing is in them. */
function signalAll(record: StateRecord, signal: number): boolean {
  const { readCgroupRecord } =
    require("../linux/cgroups/cgroup-record.ts") as typeof import("../linux/cgroups/cgroup-record.ts");
  const cgroup = readCgroupRecord(record.cgroup);
  if (!cgroup) return false;
  const { processesOf } =
    require("../linux/cgroups/processes.ts") as typeof import("../linux/cgroups/processes.ts");
  if (processesOf(cgroup).length === 0) return false;
  const { signalCgroup } = require("../linux/cgroups/kill.ts") as typeof import("../linux/cgroups/kill.ts");
  signalCgroup(cgroup, signal);
  return true;
}

/**
 * Sends a signal to the container's init, or to all its processes: those of a container without a pid namespace may
 * outlive init. Takes no lock: it must work while `start` waits for something.
 * @throws StateError "missing", "damaged", "invalid"; "conflict" when the container is stopped; SyscallError
 */
export function killContainer({ root, id, signal, all, log }: KillOptions): void {
  const record = load(root, id);
  if (all && signalAll(record, signal)) {
    log.debug(`sent signal ${signal} to the processes of the container's cgroup`);
    return;
  }
  using pidfd = openInit(record);
  // containerd's shim looks for these three words.
  if (!pidfd || !(signal === SIG.KILL ? killInit(pidfd, record) : signalInit(pidfd, signal)))
    throw new StateError("conflict", `container not running: "${id}"`);
  log.debug(`sent signal ${signal} to process ${record.pid}`);
}
