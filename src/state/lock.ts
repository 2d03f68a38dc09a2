import { ERRNO } from "../../ffi/constants/errno.ts";
import { LOCK } from "../../ffi/constants/file.ts";
import { attempt, failure } from "../../ffi/libc.ts";
import { StateError } from "./error.ts";

const pauseMs = 10;

/** Waits that long, and does nothing else. */
function pause(): void {
  // struct timespec { s64 seconds; s64 nanoseconds; }
  const time = new Uint8Array(new BigInt64Array([0n, BigInt(pauseMs) * 1_000_000n]).buffer);
  attempt.clock_nanosleep(1, 0, time, null);
}

/**
 * Takes the lock of a container for as long as its directory stays open. flock(2), exclusive.
 * Another holder is waited for: two callers act one after the other, and the second finds what the first left.
 * Not forever, since a hook may hang with the lock held, and `delete --force` has to say so.
 *
 * `state` and `kill` take no lock: they must answer while `create` or `start` waits for a hook.
 * @param fd the container's directory, open for reading (a descriptor opened with O_PATH has no lock)
 * @throws StateError "conflict" when it is still held after `patienceMs`; SyscallError
 */
export function lock(fd: number, id: string, patienceMs = 10_000): void {
  for (let waited = 0; ; waited += pauseMs) {
    const result = attempt.flock(fd, LOCK.EX | LOCK.NB);
    if (result >= 0) return;
    if (result !== -ERRNO.EAGAIN && result !== -ERRNO.EINTR) {
      throw failure("flock", [fd, LOCK.EX | LOCK.NB], -result);
    }
    if (waited >= patienceMs) {
      throw new StateError("conflict", `container "${id}" is busy: another command on it has not finished`);
    }
    pause();
  }
}
