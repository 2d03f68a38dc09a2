import { SIG } from "../../../ffi/constants/signal.ts";
import { SyscallError } from "../../../ffi/error.ts";
import { exists, writeValue } from "../../../ffi/file.ts";
import { attempt } from "../../../ffi/libc.ts";
import { type CgroupRecord, unifiedPath } from "./cgroup-record.ts";
import { freezeCgroup, thawCgroup } from "./freeze.ts";
import { isFrozen } from "./frozen.ts";
import { processesOf } from "./processes.ts";
import { awaitEvent, now, pause } from "./wait.ts";

/** How many milliseconds killed processes may take to end. */
const patience = 5000;

/**
 * Kills every process of a container and waits until they are gone. Returns whether they are.
 * cgroup.kill does it at once (Linux 5.14), and where there is a hierarchy of version 2 without controllers, too.
 * Throws SyscallError.
 */
export function killCgroup(record: CgroupRecord): boolean {
  const unified = unifiedPath(record);
  if (unified !== undefined && exists(`${unified}/cgroup.kill`)) {
    writeValue(`${unified}/cgroup.kill`, "1");
    // Processes that a freezer of version 1 holds end only when they are let go.
    quietly(() => thawCgroup(record));
    return awaitEvent(unified, "populated 0", patience);
  }
  const deadline = now() + patience;
  // More than once: without a freezer, processes make others meanwhile.
  while (now() < deadline) {
    signalCgroup(record, SIG.KILL);
    if (processesOf(record).length === 0) return true;
    pause(1);
  }
  return false;
}

/**
 * Sends a signal to every process of a container, which stands still meanwhile, so that none is missed.
 * Throws SyscallError.
 */
export function signalCgroup(record: CgroupRecord, signal: number): void {
  const frozen = isFrozen(record);
  if (!frozen) quietly(() => freezeCgroup(record));
  try {
    for (const pid of processesOf(record)) attempt.kill(pid, signal);
  } finally {
    // One that was frozen before stays so; but killed processes end only when they are let go.
    if (!frozen || signal === SIG.KILL) quietly(() => thawCgroup(record));
  }
}

/** Freezing is a help only: it is gone without where it is not permitted. */
function quietly(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  }
}
