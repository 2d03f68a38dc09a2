import { ERRNO } from "../../../ffi/constants/errno.ts";
import { SOCK } from "../../../ffi/constants/socket.ts";
import { SyscallError } from "../../../ffi/error.ts";
import { type Descriptor, writeAll } from "../../../ffi/file.ts";
import { waitFor } from "../../../ffi/process.ts";
import { socketPair } from "../../../ffi/socket.ts";
import { receiveMessage } from "../../../ffi/socket-message.ts";
import {
  type Answer,
  type CriuOptions,
  decodeAnswer,
  encodeNotified,
  encodeQuestion,
  encodeRequest,
  type Features,
  type Notification,
} from "./messages.ts";

/** Bytes of the longest answer; criu's own are far shorter. */
const largestAnswer = 1 << 16;

/** What criu tells while it works; what it sent along belongs to the listener, who closes it. Throwing stops criu. */
export type Listener = (event: Notification, descriptor: Descriptor | undefined) => void;

/** criu ended in the middle of the talk. */
export class CriuEnd extends Error {
  override readonly name = "CriuEnd";
}

/**
 * One criu as a worker of this process: `criu swrk FD`, where FD is a Unix socket for packets, each a message of
 * images/rpc.proto. https://criu.org/RPC#swrk_mode
 */
export class CriuSession implements Disposable {
  private readonly socket: Descriptor;
  /** criu's process, a child of this one; 0 when it has ended. */
  private pid: number;

  /**
   * @param start starts criu with its end of the talk, whose number it is to be told, and returns its pid
   * Throws whatever `start` throws.
   */
  constructor(start: (socket: number) => number) {
    const [ours, theirs] = socketPair(SOCK.SEQPACKET);
    this.socket = ours;
    try {
      this.pid = start(theirs.fd);
    } catch (error) {
      ours.close();
      throw error;
    } finally {
      // The end of criu must be an end of file for us.
      theirs.close();
    }
  }

  /** Version of criu: 31701 for 3.17.1. Throws CriuEnd. */
  askVersion(): number {
    this.send(encodeQuestion("version"));
    return this.receive().answer.version;
  }

  /** What criu can do on this kernel; undefined when it cannot even tell. Throws CriuEnd. */
  askFeatures(): Features | undefined {
    this.send(encodeQuestion("featureCheck"));
    return this.receive().answer.features;
  }

  /**
   * Has criu do its work, and answers its notifications meanwhile.
   * @returns its last answer, of success or of failure. Throws CriuEnd; whatever `listen` throws, when criu has given up.
   */
  request(type: "dump" | "preDump" | "restore", options: CriuOptions, listen: Listener): Answer {
    this.send(encodeRequest(type, options));
    let refused: { readonly reason: unknown } | undefined;
    for (;;) {
      const { answer, descriptor } = this.receive();
      if (!answer.notify) {
        descriptor?.close();
        if (refused) throw refused.reason;
        return answer;
      }
      try {
        listen(answer.notify, descriptor);
      } catch (reason) {
        refused ??= { reason };
      }
      this.send(encodeNotified(refused === undefined));
    }
  }

  /** Waits for criu's end. After a pre-dump it would wait for the next request: closing the talk ends it. */
  end(): void {
    this.socket.close();
    if (this.pid > 0) waitFor(this.pid);
    this.pid = 0;
  }

  /** Not by a signal: criu must have the time to let go of the processes that it holds. */
  [Symbol.dispose](): void {
    this.end();
  }

  private send(bytes: Uint8Array): void {
    this.attempt(() => writeAll(this.socket.fd, bytes));
  }

  /** Throws CriuEnd in place of the errors that mean it: one is criu's that ended with something unread. */
  private attempt<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      const gone: readonly number[] = [ERRNO.EPIPE, ERRNO.ECONNRESET];
      throw error instanceof SyscallError && gone.includes(error.errno) ? this.explainEnd() : error;
    }
  }

  private receive(): { answer: Answer; descriptor: Descriptor | undefined } {
    const { bytes, descriptor } = this.attempt(() => receiveMessage(this.socket.fd, largestAnswer));
    if (bytes.length > 0) return { answer: decodeAnswer(bytes), descriptor };
    throw this.explainEnd();
  }

  private explainEnd(): CriuEnd {
    const { status, signal } = waitFor(this.pid);
    this.pid = 0;
    return new CriuEnd(
      signal === 0 ? `criu ended with status ${status}` : `criu was ended by signal ${signal}`,
    );
  }
}
