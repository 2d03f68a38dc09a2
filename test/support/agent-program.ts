/**
 * A seccomp agent: `bun agent-program.ts SOCKET` prints what it is told of each container, one line of JSON each, and
 * answers the calls: mkdir finds no medium, whatever the directory, and all others are made.
 */
import { ptr } from "bun:ffi";
import { ERRNO } from "../../ffi/constants/errno.ts";
import { Descriptor } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { Poll } from "../../ffi/poll.ts";
import { answer, receiveNotification } from "../../ffi/seccomp-notify.ts";
import { listenUnix } from "../../ffi/socket.ts";

/** mkdir and mkdirat on x86-64, mkdirat on arm64. */
const mkdirs: readonly number[] = process.arch === "arm64" ? [34] : [83, 258];

/** What came in the first message of a connection. */
function receive(socket: number): { text: string; fds: number[] } {
  const payload = Buffer.alloc(1 << 20);
  const control = Buffer.alloc(64);
  const vector = new BigUint64Array([BigInt(ptr(payload)), BigInt(payload.length)]);
  const header = new BigUint64Array([0n, 0n, BigInt(ptr(vector)), 1n, BigInt(ptr(control)), 64n, 0n]);
  const length = libc.recvmsg(socket, new Uint8Array(header.buffer), 0x40000000);
  // struct cmsghdr { u64 length; s32 level; s32 type; }, then the descriptors
  const count = (Number(control.readBigUInt64LE(0)) - 16) / 4;
  const fds = Array.from({ length: count }, (_, index) => control.readInt32LE(16 + 4 * index));
  return { text: payload.toString("utf8", 0, length), fds };
}

const path = process.argv[2] ?? "";
const directory = new Descriptor(libc.openat(-100, path.slice(0, path.lastIndexOf("/")), 0, 0));
const socket = listenUnix(directory.fd, path.slice(path.lastIndexOf("/") + 1));
process.stdout.write("listening\n");
const listeners: number[] = [];
for (;;) {
  const poll = new Poll([socket.fd, ...listeners]);
  poll.wait();
  if (poll.ready(0)) {
    using connection = new Descriptor(libc.accept4(socket.fd, null, null, 0));
    const { text, fds } = receive(connection.fd);
    listeners.push(...fds);
    // crun writes it over several lines.
    process.stdout.write(`${JSON.stringify(JSON.parse(text))}\n`);
    continue;
  }
  for (const [index, listener] of [...listeners].entries()) {
    if (!poll.ready(index + 1)) continue;
    const notification = poll.isReadable(index + 1) ? receiveNotification(listener) : undefined;
    if (notification) {
      const isMkdir = mkdirs.includes(notification.number);
      answer(listener, notification.id, isMkdir ? -ERRNO.ENOMEDIUM : "continue");
    } else if (!poll.isReadable(index + 1)) {
      listeners.splice(listeners.indexOf(listener), 1);
      libc.close(listener);
    }
  }
}
