import { ERRNO } from "./constants/errno.ts";
import { POLL } from "./constants/socket.ts";
import { attempt, failure } from "./libc.ts";

/** A set of descriptors for ppoll(2), asked for input; negative ones are passed over. */
export class Poll {
  private readonly entries: Uint8Array;
  private readonly view: DataView;

  constructor(fds: readonly number[]) {
    // struct pollfd { int fd; short events; short revents; }
    this.entries = new Uint8Array(8 * fds.length);
    this.view = new DataView(this.entries.buffer);
    fds.forEach((fd, index) => {
      this.view.setInt32(8 * index, fd, true);
      this.view.setInt16(8 * index + 4, POLL.IN, true);
    });
  }

  /** Waits until one is ready, or the time is over. @param timeout struct timespec; null waits for ever */
  wait(timeout: Uint8Array | null = null): void {
    const count = this.entries.length / 8;
    const result = attempt.ppoll(this.entries, count, timeout, null, 0);
    if (result < 0 && result !== -ERRNO.EINTR)
      throw failure("ppoll", [this.entries, count, timeout, null, 0], -result);
  }

  /** Whether the last wait found it ready. */
  ready(index: number): boolean {
    return this.found(index) !== 0;
  }

  /** Whether there is something to read, and not only an end. */
  isReadable(index: number): boolean {
    return (this.found(index) & POLL.IN) !== 0;
  }

  private found(index: number): number {
    return this.view.getInt16(8 * index + 6, true);
  }

  /** Whether it is ready at this moment. */
  readyNow(index: number): boolean {
    this.wait(new Uint8Array(16));
    return this.ready(index);
  }

  /** Passes it over from now on. */
  forget(index: number): void {
    this.view.setInt32(8 * index, -1, true);
  }
}
