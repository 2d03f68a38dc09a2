import { O } from "../../../ffi/constants/file.ts";
import { openFile, readText } from "../../../ffi/file.ts";
import { attempt } from "../../../ffi/libc.ts";
import { timespec } from "../../../ffi/structs/timespec.ts";

const monotonicClock = 1;
/** What poll(2) says of a file of cgroups that has changed since it was read. cgroups(7), "cgroup.events". */
const POLLPRI = 2;

/** Lets some milliseconds pass. */
export function pause(milliseconds: number): void {
  attempt.clock_nanosleep(monotonicClock, 0, after(milliseconds), null);
}

/**
 * Waits until a line of a cgroup's cgroup.events (version 2) is there, such as "populated 0".
 * Returns whether it is; false when that took longer than so many milliseconds, or the cgroup has no such file.
 */
export function awaitEvent(path: string, line: string, milliseconds: number): boolean {
  const fd = attempt.openat(-100, `${path}/cgroup.events`, O.RDONLY | O.CLOEXEC, 0);
  if (fd < 0) return false;
  attempt.close(fd);
  const deadline = now() + milliseconds;
  for (;;) {
    // Opened anew each time: the kernel tells of changes since the file was read through the same descriptor.
    using events = openFile(`${path}/cgroup.events`, O.RDONLY);
    if (readText(events.fd).split("\n").includes(line)) return true;
    const left = deadline - now();
    if (left <= 0) return false;
    const poll = new Uint8Array(8);
    const view = new DataView(poll.buffer);
    view.setInt32(0, events.fd, true);
    view.setInt16(4, POLLPRI, true);
    attempt.ppoll(poll, 1, after(left), null, 0);
  }
}

/** Milliseconds since some moment. */
export function now(): number {
  const time = new Uint8Array(16);
  attempt.clock_gettime(monotonicClock, time);
  const view = new DataView(time.buffer);
  return Number(view.getBigInt64(0, true)) * 1000 + Number(view.getBigInt64(8, true)) / 1_000_000;
}

function after(milliseconds: number): Uint8Array {
  return timespec(Math.floor(milliseconds / 1000), Math.floor((milliseconds % 1000) * 1_000_000));
}
