import { ERRNO } from "../../../ffi/constants/errno.ts";
import { F, O } from "../../../ffi/constants/file.ts";
import { SIG } from "../../../ffi/constants/signal.ts";
import { POLL } from "../../../ffi/constants/socket.ts";
import { Descriptor } from "../../../ffi/file.ts";
import { attempt, failure, libc } from "../../../ffi/libc.ts";
import { decodeText } from "../../../ffi/memory.ts";
import { type Ending, waitFor } from "../../../ffi/process.ts";
import { timespec } from "../../../ffi/structs/timespec.ts";

/** How a hook ended. */
export interface HookEnd extends Ending {
  readonly timedOut: boolean;
  /** The last part of what it wrote. */
  readonly output: string;
}

/** Bytes of output that are kept: the reason for a failure is at the end. */
const keptBytes = 1000;

/**
 * Waits until a child of this process has ended, and meanwhile reads what it writes. What it leaves running may hold
 * the pipe open for ever: its own end is what counts.
 * @param output reading end of the pipe that is its standard output and error
 * @param timeout seconds after which it is killed; null for never
 * Throws SyscallError.
 */
export function awaitEnd(pid: number, output: number, timeout: number | null): HookEnd {
  libc.fcntl(output, F.SETFL, O.NONBLOCK);
  using pidfd = new Descriptor(libc.pidfd_open(pid, 0));
  const tail = new Tail(output);
  // Linux writes the time left back: a wait that was interrupted goes on with what remains.
  const left = timeout === null ? null : timespec(timeout, 0);
  let timedOut = false;
  const poll = new HookPoll(pidfd.fd, output);
  while (!poll.hasEnded()) {
    if (!poll.wait(timedOut ? null : left)) {
      timedOut = true;
      libc.pidfd_send_signal(pidfd.fd, SIG.KILL, null, 0);
    } else if (poll.hasOutput() && tail.read() === 0) poll.forgetOutput();
  }
  const ending = waitFor(pid);
  tail.drain();
  return { ...ending, timedOut, output: tail.text() };
}

/** struct pollfd { int fd; short events; short revents; } of the process and of its output. */
class HookPoll {
  private readonly entries = new Uint8Array(16);
  private readonly view = new DataView(this.entries.buffer);

  constructor(pidfd: number, output: number) {
    this.view.setInt32(0, pidfd, true);
    this.view.setInt16(4, POLL.IN, true);
    this.view.setInt32(8, output, true);
    this.view.setInt16(12, POLL.IN, true);
  }

  /** Waits until something happens; false when the time is over instead. */
  wait(left: Uint8Array | null): boolean {
    for (;;) {
      const result = attempt.ppoll(this.entries, 2, left, null, 0);
      if (result >= 0) return result > 0;
      if (result !== -ERRNO.EINTR) throw failure("ppoll", [this.entries, 2, left, null, 0], -result);
    }
  }

  hasEnded(): boolean {
    return this.view.getInt16(6, true) !== 0;
  }

  hasOutput(): boolean {
    return this.view.getInt16(14, true) !== 0;
  }

  forgetOutput(): void {
    this.view.setInt32(8, -1, true);
  }
}

/** The end of what comes out of a pipe that does not block. */
class Tail {
  private readonly chunk = new Uint8Array(4096);
  private kept = new Uint8Array(0);
  private cut = false;

  constructor(private readonly fd: number) {}

  /** Reads what there is, up to one chunk; returns how many bytes, 0 at the end, a negated error number without any. */
  read(): number {
    const count = attempt.read(this.fd, this.chunk, this.chunk.length);
    if (count <= 0) return count;
    const both = new Uint8Array(this.kept.length + count);
    both.set(this.kept);
    both.set(this.chunk.subarray(0, count), this.kept.length);
    this.cut ||= both.length > keptBytes;
    this.kept = both.slice(-keptBytes);
    return count;
  }

  /** Reads what was written before now: no more than a pipe can hold, for somebody may go on writing. */
  drain(): void {
    const largestPipe = 1 << 20;
    for (let total = 0; total < largestPipe; ) {
      const count = this.read();
      if (count <= 0) return;
      total += count;
    }
  }

  text(): string {
    const text = decodeText(this.kept, this.kept.length);
    return this.cut ? `… ${text.slice(text.indexOf("\n") + 1)}` : text;
  }
}
