// Lets a container that is a service of the caller's service manager say when it is ready. sd_notify(3).
import { O } from "../../ffi/constants/file.ts";
import { SyscallError } from "../../ffi/error.ts";
import { type Descriptor, openFile } from "../../ffi/file.ts";
import { attempt } from "../../ffi/libc.ts";
import { decodeText } from "../../ffi/memory.ts";
import { Poll } from "../../ffi/poll.ts";
import { bindDatagram, sendDatagram } from "../../ffi/socket.ts";
import { notifyName } from "../linux/mounts/notify.ts";
import { files, type StateRecord } from "../state/record.ts";
import { openInit } from "./init.ts";
import type { StartOptions } from "./options.ts";

const longestMessage = 4096;

/** The container's socket, and the caller's, which is told once that the container is ready. */
export class Notify implements Disposable {
  private readonly socket: Descriptor;
  private told = false;

  /**
   * Makes the container's socket: before its process runs, which may send at once. Throws SyscallError.
   * @param directory the container's state directory
   * @param target $NOTIFY_SOCKET of the caller
   * @param mainPid the process that the caller is to watch
   */
  constructor(
    directory: Descriptor,
    private readonly target: string,
    private readonly mainPid: number,
    private readonly log: StartOptions["log"],
  ) {
    using place = openFile(files.notify, O.PATH | O.DIRECTORY | O.NOFOLLOW, 0, directory.fd);
    // A `start` that was interrupted has left one.
    attempt.unlinkat(place.fd, notifyName, 0);
    this.socket = bindDatagram(place.fd, notifyName);
  }

  get fd(): number {
    return this.socket.fd;
  }

  /** Reads what the container has sent until now, and tells the caller when READY=1 is among it. */
  handle(): void {
    const bytes = new Uint8Array(longestMessage);
    for (;;) {
      // Descriptors that come with a message are dropped by this call; BARRIER=1 waits for that.
      const length = attempt.read(this.fd, bytes, bytes.length);
      if (length < 0) return;
      if (!this.told && isReady(decodeText(bytes.subarray(0, length)))) this.tell();
    }
  }

  /** Waits until the container is ready or has ended. */
  await(record: StateRecord): void {
    using init = openInit(record);
    const poll = new Poll([init?.fd ?? -1, this.fd]);
    while (init && !this.told) {
      poll.wait();
      this.handle();
      if (poll.ready(0)) break;
    }
    // What it sent last may have come after the last look.
    this.handle();
  }

  /** The container runs, and is no worse for a caller that is not there any more. */
  private tell(): void {
    this.told = true;
    try {
      sendDatagram(this.target, `MAINPID=${this.mainPid}\nREADY=1\n`);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      const { errnoText } = require("../../ffi/errno-text.ts") as typeof import("../../ffi/errno-text.ts");
      const reason = `${error.message}: ${errnoText(error.errno)}`;
      this.log.warn(`NOTIFY_SOCKET cannot be told that the container is ready: ${reason}`);
    }
  }

  close(): void {
    this.socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Whether a message, variables one a line, says that the service is ready. */
export function isReady(message: string): boolean {
  return message.split("\n").includes("READY=1");
}
