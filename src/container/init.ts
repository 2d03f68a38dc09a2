import { ERRNO } from "../../ffi/constants/errno.ts";
import { SIG } from "../../ffi/constants/signal.ts";
import { Descriptor } from "../../ffi/file.ts";
import { attempt, failure } from "../../ffi/libc.ts";
import { isPaused } from "../linux/cgroups/frozen.ts";
import { readProcess } from "../state/process.ts";
import type { StateRecord } from "../state/record.ts";
import { isInit } from "../state/status.ts";

/**
 * A pidfd of the container's init; undefined when it does not run any more. pidfd_open(2), Linux 5.3.
 * The start time is compared after the pidfd is open: from then on it names this process and no later one.
 */
export function openInit(record: Pick<StateRecord, "pid" | "processStartTime">): Descriptor | undefined {
  const result = attempt.pidfd_open(record.pid, 0);
  // EINVAL: the number belongs to a thread now, so init is gone.
  if (result === -ERRNO.ESRCH || result === -ERRNO.EINVAL) return undefined;
  if (result < 0) throw failure("pidfd_open", [record.pid, 0], -result);
  const pidfd = new Descriptor(result);
  if (isInit(record, readProcess(record.pid))) return pidfd;
  pidfd.close();
  return undefined;
}

/** Sends a signal through a pidfd; false when the process is gone. Throws SyscallError, EPERM for example. */
export function signalInit(pidfd: Descriptor, signal: number): boolean {
  const result = attempt.pidfd_send_signal(pidfd.fd, signal, null, 0);
  if (result === -ERRNO.ESRCH) return false;
  if (result < 0) throw failure("pidfd_send_signal", [pidfd.fd, signal, null, 0], -result);
  return true;
}

/**
 * Kills the container's init; false when it is gone. In a frozen cgroup of version 1 a killed process ends only when it is
 * let go, and the others of the container have nobody to let them go any more. Throws SyscallError.
 */
export function killInit(pidfd: Descriptor, record: Pick<StateRecord, "cgroup">): boolean {
  if (!signalInit(pidfd, SIG.KILL)) return false;
  if (!isPaused(record.cgroup)) return true;
  const { readCgroupRecord } =
    require("../linux/cgroups/cgroup-record.ts") as typeof import("../linux/cgroups/cgroup-record.ts");
  const { thawCgroup } = require("../linux/cgroups/freeze.ts") as typeof import("../linux/cgroups/freeze.ts");
  const cgroup = readCgroupRecord(record.cgroup);
  if (cgroup) thawCgroup(cgroup);
  return true;
}

const POLLIN = 1;

/** Waits until the process of a pidfd has ended, reaped or not; false when it has not after `timeoutMs`. ppoll(2). */
export function waitForInit(pidfd: Descriptor, timeoutMs: number): boolean {
  // struct pollfd { int fd; short events; short revents; }
  const poll = new Uint8Array(8);
  const view = new DataView(poll.buffer);
  view.setInt32(0, pidfd.fd, true);
  view.setInt16(4, POLLIN, true);
  // struct timespec { s64 seconds; s64 nanoseconds; }: Linux writes the time left back, so an interrupted wait goes on.
  const left = new Uint8Array(
    new BigInt64Array([BigInt(Math.floor(timeoutMs / 1000)), BigInt(timeoutMs % 1000) * 1_000_000n]).buffer,
  );
  for (;;) {
    const result = attempt.ppoll(poll, 1, left, null, 0);
    if (result >= 0) return result > 0;
    if (result !== -ERRNO.EINTR) throw failure("ppoll", [poll, 1, left, null, 0], -result);
  }
}
