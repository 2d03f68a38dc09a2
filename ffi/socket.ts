import { ERRNO } from "./constants/errno.ts";
import { O } from "./constants/file.ts";
import { AF, MSG, SCM_RIGHTS, SOCK, SOL_SOCKET } from "./constants/socket.ts";
import { ptr } from "./engine.ts";
import { Descriptor, openFile, writeAll } from "./file.ts";
import { attempt, failure, libc } from "./libc.ts";
import { encodeText } from "./memory.ts";

const longestAddress = 107;

/** struct sockaddr_un of a path of at most 107 bytes. unix(7). */
function unixAddress(path: Uint8Array): Uint8Array {
  const address = new Uint8Array(2 + path.length + 1);
  new DataView(address.buffer).setUint16(0, AF.UNIX, true);
  address.set(path, 2);
  return address;
}

/** An abstract name begins with a null byte, and all the bytes that follow belong to it. unix(7). */
function abstractAddress(name: Uint8Array): Uint8Array {
  const address = unixAddress(name).slice(0, 2 + name.length);
  address[2] = 0;
  return address;
}

/**
 * Connects to a listening Unix stream socket; close-on-exec. A path too long for an address is reached through its
 * directory, opened. Throws SyscallError.
 */
export function connectUnix(path: string): Descriptor {
  const bytes = encodeText(path);
  if (bytes.length > longestAddress) {
    const slash = path.lastIndexOf("/");
    using directory = openFile(path.slice(0, Math.max(slash, 1)), O.PATH | O.DIRECTORY);
    return connectUnix(`/proc/self/fd/${directory.fd}/${path.slice(slash + 1)}`);
  }
  const socket = new Descriptor(libc.socket(AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC, 0));
  const address = unixAddress(bytes);
  const result = attempt.connect(socket.fd, address, address.length);
  if (result < 0) {
    socket.close();
    throw failure("connect", [socket.fd, `${path}`, address.length], -result);
  }
  return socket;
}

/**
 * A datagram socket at a name in a directory, non-blocking and close-on-exec. Everybody who can reach it may send to it.
 * Throws SyscallError.
 */
export function bindDatagram(directory: number, name: string): Descriptor {
  const socket = new Descriptor(libc.socket(AF.UNIX, SOCK.DGRAM | SOCK.NONBLOCK | SOCK.CLOEXEC, 0));
  const path = `/proc/self/fd/${directory}/${name}`;
  const address = unixAddress(encodeText(path));
  // The mode is the mask's from the beginning: a chmod(2) afterwards could be led elsewhere.
  const mask = libc.umask(0);
  const result = attempt.bind(socket.fd, address, address.length);
  libc.umask(mask);
  if (result >= 0) return socket;
  const error = failure("bind", [socket.fd, path, address.length], -result);
  socket.close();
  throw error;
}

/**
 * A listening stream socket at a name in a directory, close-on-exec, for its owner alone. Throws SyscallError.
 */
export function listenUnix(directory: number, name: string): Descriptor {
  const socket = new Descriptor(libc.socket(AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC, 0));
  const address = unixAddress(encodeText(`/proc/self/fd/${directory}/${name}`));
  try {
    libc.bind(socket.fd, address, address.length);
    libc.listen(socket.fd, 16);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/**
 * Sends one datagram to a socket.
 * @param target a path, or `@` and the name of an abstract socket
 * Throws SyscallError.
 */
export function sendDatagram(target: string, text: string): void {
  const bytes = encodeText(target);
  if (!target.startsWith("@") && bytes.length > longestAddress) {
    const slash = target.lastIndexOf("/");
    using directory = openFile(target.slice(0, Math.max(slash, 1)), O.PATH | O.DIRECTORY);
    sendDatagram(`/proc/self/fd/${directory.fd}/${target.slice(slash + 1)}`, text);
    return;
  }
  using socket = new Descriptor(libc.socket(AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0));
  const address = target.startsWith("@") ? abstractAddress(bytes) : unixAddress(bytes);
  const result = attempt.connect(socket.fd, address, address.length);
  if (result < 0) throw failure("connect", [socket.fd, target, address.length], -result);
  writeAll(socket.fd, text);
}

/** Two connected stream sockets, close-on-exec. */
export function socketPair(type: number = SOCK.STREAM): [Descriptor, Descriptor] {
  const pair = new Int32Array(2);
  libc.socketpair(AF.UNIX, type | SOCK.CLOEXEC, 0, new Uint8Array(pair.buffer));
  return [new Descriptor(pair[0] ?? -1), new Descriptor(pair[1] ?? -1)];
}

/**
 * Sends one descriptor over a connected Unix socket (SCM_RIGHTS).
 * @param payload text that goes along: a stream socket carries no descriptor without at least a byte
 * Throws SyscallError.
 */
export function sendDescriptor(socket: number, descriptor: number, payload: string): void {
  const bytes = encodeText(payload);
  const vector = new BigUint64Array([BigInt(ptr(bytes)), BigInt(bytes.length)]);
  // struct cmsghdr { u64 length; s32 level; s32 type; }, the descriptor, padding to 8.
  const control = new Uint8Array(24);
  const view = new DataView(control.buffer);
  view.setBigUint64(0, 20n, true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  view.setInt32(16, descriptor, true);
  const header = messageHeader(vector, control);
  for (;;) {
    const result = attempt.sendmsg(socket, header, MSG.NOSIGNAL);
    if (result === -ERRNO.EINTR) continue;
    if (result < 0) throw failure("sendmsg", [socket, header, MSG.NOSIGNAL], -result);
    // Until here the kernel read these by address only. What did not fit follows without the descriptor.
    if (vector.length + control.length > 0 && result < bytes.length) writeAll(socket, bytes.subarray(result));
    return;
  }
}

/** struct msghdr { name, name length, iovec, iovec count, control, control length, flags } of one buffer. */
function messageHeader(vector: BigUint64Array, control: Uint8Array): Uint8Array {
  const length = BigInt(control.length);
  const header = new BigUint64Array([0n, 0n, BigInt(ptr(vector)), 1n, BigInt(ptr(control)), length, 0n]);
  return new Uint8Array(header.buffer);
}

/**
 * Receives one descriptor over a Unix socket (SCM_RIGHTS), close-on-exec; undefined when the other end closed without
 * sending one. Throws SyscallError.
 */
export function receiveDescriptor(socket: number): Descriptor | undefined {
  const payload = new Uint8Array(256);
  const vector = new BigUint64Array([BigInt(ptr(payload)), BigInt(payload.length)]);
  const control = new Uint8Array(24);
  const bytes = messageHeader(vector, control);
  for (;;) {
    const result = attempt.recvmsg(socket, bytes, MSG.CMSG_CLOEXEC);
    if (result === -ERRNO.EINTR) continue;
    if (result < 0) throw failure("recvmsg", [socket, bytes, MSG.CMSG_CLOEXEC], -result);
    break;
  }
  // Until here the kernel wrote into these by address only.
  const view = new DataView(control.buffer);
  const held = payload.length + vector.length > 0 && view.getBigUint64(0, true) >= 20n;
  if (!held || view.getInt32(8, true) !== SOL_SOCKET || view.getInt32(12, true) !== SCM_RIGHTS)
    return undefined;
  return new Descriptor(view.getInt32(16, true));
}
