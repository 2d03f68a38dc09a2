import { ERRNO } from "../../ffi/constants/errno.ts";
import { SIG, SIGRTMAX, SIGRTMIN } from "../../ffi/constants/signal.ts";
import { SyscallError } from "../../ffi/error.ts";
import { Descriptor, readInto, writeAll } from "../../ffi/file.ts";
import { attempt, failure, libc } from "../../ffi/libc.ts";
import { Poll } from "../../ffi/poll.ts";
import { catchSignals } from "../../ffi/signals.ts";
import { copyWindowSize, RawTerminal } from "./raw-terminal.ts";

/**
 * Signals that a person or a service manager sends to `run` and means for the container. Not those that the kernel sends
 * for what this process itself does, not those of job control, which stop this process and leave the container alone, and
 * not PWR, by which the engine stops its threads.
 */
const forwarded: readonly number[] = [
  SIG.HUP,
  SIG.INT,
  SIG.QUIT,
  SIG.USR1,
  SIG.USR2,
  SIG.ALRM,
  SIG.TERM,
  SIG.STKFLT,
  SIG.CONT,
  SIG.VTALRM,
  SIG.PROF,
  SIG.IO,
  // systemd as a container's init is told by them what to do: SIGRTMIN+3 is halt.
  ...Array.from({ length: SIGRTMAX - SIGRTMIN + 1 }, (_, index) => SIGRTMIN + index),
];

/** Something else to look after meanwhile. */
export interface Watched {
  readonly fd: number;
  /** Called when there is something to read; reads all there is. */
  handle(): void;
}

/** From now on signals wait for `supervise` to forward them. Called before the process runs that they are meant for. */
export function catchForwarded(): Descriptor {
  return catchSignals([...forwarded, SIG.WINCH]);
}

/**
 * Waits for the container's process in the foreground: forwards signals, and carries bytes between the caller's
 * terminal and the container's.
 * @param signals from catchForwarded
 * @param master the container's terminal; undefined when its process has the caller's streams
 * @param watched looked after until the process has ended
 * @returns the exit status, 128+n when signal n ended it
 */
export function supervise(
  pid: number,
  signals: Descriptor,
  master: Descriptor | undefined,
  watched?: Watched,
): number {
  using pidfd = new Descriptor(libc.pidfd_open(pid, 0));
  using terminal = master && new RawTerminal();
  const poll = new Poll([pidfd.fd, signals.fd, master?.fd ?? -1, master ? 0 : -1, watched?.fd ?? -1]);
  for (;;) {
    poll.wait();
    if (poll.ready(1)) handleSignals(signals.fd, pidfd.fd, { master, terminal });
    if (master && poll.ready(2) && !pump(master.fd, 1)) poll.forget(2);
    if (master && poll.ready(3) && !pump(0, master.fd)) poll.forget(3);
    if (poll.ready(4)) watched?.handle();
    if (poll.ready(0)) break;
  }
  // What the process sent last may have come after the last look.
  watched?.handle();
  // What the process wrote last is still in the terminal.
  if (master) while (poll.readyNow(2) && pump(master.fd, 1));
  master?.close();
  return reap(pid);
}

function handleSignals(
  signals: number,
  pidfd: number,
  { master, terminal }: { master: Descriptor | undefined; terminal: RawTerminal | undefined },
): void {
  const numbers = new Uint8Array(64);
  const count = readInto(signals, numbers);
  for (const signal of numbers.subarray(0, count)) {
    if (signal === SIG.CONT) terminal?.set();
    // Of a change of the size while this process was stopped, only the shell was told.
    if (master && (signal === SIG.WINCH || signal === SIG.CONT)) copyWindowSize(master.fd);
    if (signal !== SIG.WINCH) attempt.pidfd_send_signal(pidfd, signal, null, 0);
  }
}

const buffer = new Uint8Array(1 << 16);

/** Carries what there is from one descriptor to another; false at the end. */
function pump(from: number, to: number): boolean {
  const count = attempt.read(from, buffer, buffer.length);
  if (count === -ERRNO.EINTR || count === -ERRNO.EAGAIN) return true;
  // EIO: the last process that had the terminal open is gone.
  if (count <= 0) return false;
  try {
    writeAll(to, buffer.subarray(0, count));
  } catch (error) {
    // Nobody reads there any more. What is read is dropped then: the container goes on, and keys still reach it.
    if (!(error instanceof SyscallError)) throw error;
  }
  return true;
}

/** The exit status of a child as shells count it; other children that ended meanwhile, adopted ones, are reaped too. */
function reap(pid: number): number {
  const status = new Int32Array(1);
  const bytes = new Uint8Array(status.buffer);
  for (;;) {
    const child = attempt.wait4(-1, bytes, 0, null);
    if (child === -ERRNO.EINTR) continue;
    if (child < 0) throw failure("wait4", [-1, bytes, 0, null], -child);
    if (child !== pid) continue;
    const word = status[0] ?? 0;
    const signal = word & 0x7f;
    return signal === 0 ? (word >>> 8) & 0xff : 128 + signal;
  }
}
