/** A service manager's socket: receives what the runtime says of the container's readiness. */
import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { until } from "./command.ts";
import { checked, libc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;

/** A datagram socket at a path, or with an abstract name for `@…`; shorter than 108 bytes. */
export class NotifySocket {
  readonly #socket: number;
  #text = "";

  constructor(readonly name: string) {
    this.#socket = checked("socket", libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const address = Buffer.alloc(2 + name.length + (name.startsWith("@") ? 0 : 1));
    address.writeUInt16LE(AF_UNIX, 0);
    address.write(name.replace(/^@/, "\0"), 2);
    checked("bind", libc.bind(this.#socket, ptr(address), address.length));
  }

  /** All that has come, variables one a line, in the order of their names: runtimes send them in several. */
  get variables(): string[] {
    const bytes = Buffer.alloc(4096);
    const vector = new BigUint64Array([BigInt(ptr(bytes)), BigInt(bytes.length)]);
    // struct msghdr: name, namelen, iov, iovlen, control, controllen, flags
    const message = new BigUint64Array([0n, 0n, BigInt(ptr(vector)), 1n, 0n, 0n, 0n]);
    for (;;) {
      const length = Number(libc.recvmsg(this.#socket, ptr(message), 0));
      if (length < 0) break;
      this.#text += `${bytes.toString("utf8", 0, length)}\n`;
    }
    return this.#text
      .split("\n")
      .filter((line) => line !== "")
      .sort();
  }

  /** Waits for both that a service manager needs. */
  ready(): Promise<string[]> {
    return until("READY=1 and MAINPID", () => {
      const { variables } = this;
      return variables.length >= 2 ? variables : undefined;
    });
  }

  close(): void {
    closeSync(this.#socket);
  }
}
