/** The calls that the timing loop is made of, and what the process needs to be around it. */
import { dlopen } from "bun:ffi";
import { getSystemErrorName } from "node:util";

const { symbols: libc } = dlopen("libc.so.6", {
  // int posix_spawn(pid_t *pid, const char *path, file_actions_t *, spawnattr_t *, char *const argv[], char *const envp[])
  posix_spawn: { args: ["ptr", "ptr", "ptr", "ptr", "ptr", "ptr"], returns: "i32" },
  posix_spawn_file_actions_init: { args: ["ptr"], returns: "i32" },
  posix_spawn_file_actions_adddup2: { args: ["ptr", "i32", "i32"], returns: "i32" },
  posix_spawn_file_actions_addchdir_np: { args: ["ptr", "ptr"], returns: "i32" },
  posix_spawn_file_actions_addclosefrom_np: { args: ["ptr", "i32"], returns: "i32" },
  posix_spawnattr_init: { args: ["ptr"], returns: "i32" },
  posix_spawnattr_setflags: { args: ["ptr", "i16"], returns: "i32" },
  posix_spawnattr_setsigdefault: { args: ["ptr", "ptr"], returns: "i32" },
  posix_spawnattr_setsigmask: { args: ["ptr", "ptr"], returns: "i32" },
  // pid_t wait4(pid_t pid, int *status, int options, struct rusage *)
  wait4: { args: ["i32", "ptr", "i32", "ptr"], returns: "i32" },
  // int clock_gettime(clockid_t, struct timespec *)
  clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
  // int unshare(int flags)
  unshare: { args: ["i32"], returns: "i32" },
  // int prctl(int option, unsigned long …)
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  // int prlimit64(pid_t, int resource, const struct rlimit64 *new, struct rlimit64 *old)
  prlimit64: { args: ["i32", "i32", "ptr", "ptr"], returns: "i32" },
});

export { libc };

/** Throws for the error number that a posix_* function returned. */
export function checked(call: string, error: number): void {
  if (error !== 0) throw new Error(`${call}: ${getSystemErrorName(-error)}`);
}

const PR_SET_CHILD_SUBREAPER = 36;

/** Makes this process the parent of its descendants' orphans, such as a container's init. Throws when refused. */
export function becomeSubreaper(): void {
  if (libc.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n) !== 0)
    throw new Error("prctl: cannot be a subreaper");
}

const CLONE_NEWCGROUP = 0x0200_0000;

/** Gives this thread, and what it starts from now on, a cgroup namespace of its own. Throws when refused. */
export function leaveCgroupNamespace(): void {
  if (libc.unshare(CLONE_NEWCGROUP) !== 0) throw new Error("unshare: no cgroup namespace could be had");
}

const RLIMIT_NOFILE = 7;

/** Sets the soft limit of open files, which Bun raises when it starts, to what a login has: children inherit it. */
export function restoreFileLimit(soft = 1024n): void {
  const limit = new BigUint64Array(2);
  if (libc.prlimit64(0, RLIMIT_NOFILE, null, limit) !== 0) throw new Error("prlimit64: cannot be read");
  const hard = limit[1] ?? soft;
  limit[0] = soft < hard ? soft : hard;
  if (libc.prlimit64(0, RLIMIT_NOFILE, limit, null) !== 0) throw new Error("prlimit64: cannot be set");
}

const CLOCK_MONOTONIC = 1;
const time = new BigInt64Array(2);

/** Milliseconds of the monotonic clock, with its nanoseconds. */
export function now(): number {
  libc.clock_gettime(CLOCK_MONOTONIC, time);
  return Number(time[0]) * 1e3 + Number(time[1]) / 1e6;
}

const WNOHANG = 1;
const status = new Int32Array(1);

function exitStatus(word: number): number {
  const signal = word & 0x7f;
  return signal === 0 ? (word >> 8) & 0xff : 128 + signal;
}

/** Waits until a child has ended; gives its exit status as a shell would, 128 + n for signal n. Throws for no child. */
export function wait(pid: number): number {
  // A signal with a handler of Bun's may interrupt the call: the child is still there.
  for (let tries = 0; tries < 1000; tries++) {
    if (libc.wait4(pid, status, 0, null) === pid) return exitStatus(status[0] ?? 0);
  }
  throw new Error(`wait4(${pid}): no such child`);
}

/** Collects every child that has ended: orphans that runtimes left behind. None of Bun.spawn's may be alive. */
export function reapOrphans(): void {
  while (libc.wait4(-1, null, WNOHANG, null) > 0);
}
