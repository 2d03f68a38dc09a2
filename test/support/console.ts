/** The receiving end of --console-socket: gets the pty's master from the runtime, and speaks to the container through it. */
import { ptr } from "bun:ffi";
import { closeSync, constants, readSync, writeSync } from "node:fs";
import { until } from "./command.ts";
import { checked, libc, setStatusFlags } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const TIOCGWINSZ = 0x5413n;
const TIOCSWINSZ = 0x5414n;

/** A listening Unix socket at `path` (shorter than 108 bytes). */
export class ConsoleSocket {
  readonly #socket: number;

  constructor(readonly path: string) {
    this.#socket = checked("socket", libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const address = Buffer.alloc(110);
    address.writeUInt16LE(AF_UNIX, 0);
    address.write(path, 2);
    checked("bind", libc.bind(this.#socket, ptr(address), address.length));
    checked("listen", libc.listen(this.#socket, 1));
  }

  /** Takes the connection that the runtime has made, and the one descriptor that it has sent. */
  async accept(): Promise<Console> {
    const connection = await until("a connection to the console socket", () => {
      const fd = libc.accept4(this.#socket, null, null, SOCK_CLOEXEC);
      return fd >= 0 ? { fd } : undefined;
    });
    try {
      return receive(connection.fd);
    } finally {
      closeSync(connection.fd);
    }
  }

  close(): void {
    closeSync(this.#socket);
  }
}

function receive(socket: number): Console {
  const payload = Buffer.alloc(4096);
  const control = Buffer.alloc(64);
  const vector = new BigUint64Array([BigInt(ptr(payload)), BigInt(payload.length)]);
  // struct msghdr: name, namelen, iov, iovlen, control, controllen, flags
  const message = new BigUint64Array([0n, 0n, BigInt(ptr(vector)), 1n, BigInt(ptr(control)), 64n, 0n]);
  const length = checked("recvmsg", libc.recvmsg(socket, ptr(message), SOCK_CLOEXEC));
  // struct cmsghdr: len (8 bytes), level, type; then the descriptors
  const [bytes, level, type] = [control.readBigUInt64LE(0), control.readInt32LE(8), control.readInt32LE(12)];
  if (level !== SOL_SOCKET || type !== SCM_RIGHTS || bytes !== 20n)
    throw new Error("no single descriptor was sent");
  return new Console(control.readInt32LE(16), payload.toString("utf8", 0, length));
}

/** The master of a container's terminal. */
export class Console {
  #text = "";

  constructor(
    readonly fd: number,
    /** What came with the descriptor. */
    readonly payload: string,
  ) {
    setStatusFlags(fd, constants.O_RDWR | constants.O_NONBLOCK);
  }

  /** Everything that the container has printed, as a terminal would get it. */
  get text(): string {
    this.#read();
    return this.#text;
  }

  write(text: string): void {
    writeSync(this.fd, text);
  }

  /** Waits until `text` has been printed. */
  async waitFor(text: string | RegExp): Promise<void> {
    try {
      await until(String(text), () =>
        typeof text === "string" ? this.text.includes(text) : text.test(this.text),
      );
    } catch (error) {
      throw new Error(`the terminal shows ${JSON.stringify(this.text)}`, { cause: error });
    }
  }

  /** [rows, columns] */
  get size(): [number, number] {
    const size = new Uint16Array(4);
    checked("ioctl(TIOCGWINSZ)", libc.ioctl(this.fd, TIOCGWINSZ, ptr(size)));
    return [size[0] ?? 0, size[1] ?? 0];
  }

  resize(rows: number, columns: number): void {
    const size = new Uint16Array([rows, columns, 0, 0]);
    checked("ioctl(TIOCSWINSZ)", libc.ioctl(this.fd, TIOCSWINSZ, ptr(size)));
  }

  close(): void {
    closeSync(this.fd);
  }

  #read(): void {
    const chunk = Buffer.alloc(65_536);
    try {
      for (;;) {
        const length = readSync(this.fd, chunk);
        if (length === 0) return;
        this.#text += chunk.toString("utf8", 0, length);
      }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      // Nothing to read now; or, once the container has closed its side, ever.
      if (code !== "EAGAIN" && code !== "EIO") throw error;
    }
  }
}
