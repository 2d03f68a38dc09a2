// Messages over a Unix socket that may carry a descriptor (SCM_RIGHTS, unix(7)).
import { ptr } from "bun:ffi";
import { ERRNO } from "./constants/errno.ts";
import { MSG, SCM_RIGHTS, SOL_SOCKET } from "./constants/socket.ts";
import { Descriptor } from "./file.ts";
import { attempt, failure } from "./libc.ts";
import { encodeText } from "./memory.ts";

/** struct cmsghdr { u64 length; s32 level; s32 type; } with one descriptor, and padding to 8. cmsg(3). */
const controlSize = 24;
const controlLength = 20;

/** What recvmsg(2) returned. */
export interface ReceivedMessage {
  /** Empty at the end: the other side has closed. */
  readonly bytes: Uint8Array;
  /** What came along, close-on-exec; undefined when nothing did. The caller closes it. */
  readonly descriptor: Descriptor | undefined;
}

/** struct msghdr { name, name length, iovec, iovec count, control, control length, flags } with one iovec. */
class MessageHeader {
  private readonly vector: BigUint64Array;
  readonly bytes: Uint8Array;

  /** The kernel uses both buffers by their addresses: who made this keeps it until the call is over. */
  constructor(
    readonly payload: Uint8Array,
    readonly control: Uint8Array,
  ) {
    this.vector = new BigUint64Array([BigInt(ptr(payload)), BigInt(payload.length)]);
    const words = [0n, 0n, BigInt(ptr(this.vector)), 1n, BigInt(ptr(control)), BigInt(control.length), 0n];
    this.bytes = new Uint8Array(new BigUint64Array(words).buffer);
  }
}

/**
 * Waits for one message and for the descriptor that it may carry.
 * @param largest bytes of the longest message that is understood; a packet that is longer is cut
 * Throws SyscallError.
 */
export function receiveMessage(socket: number, largest: number): ReceivedMessage {
  const message = new MessageHeader(new Uint8Array(largest), new Uint8Array(controlSize));
  for (;;) {
    const length = attempt.recvmsg(socket, message.bytes, MSG.CMSG_CLOEXEC);
    if (length === -ERRNO.EINTR) continue;
    if (length < 0) throw failure("recvmsg", [socket, message.bytes, MSG.CMSG_CLOEXEC], -length);
    const view = new DataView(message.control.buffer);
    const carries =
      view.getBigUint64(0, true) >= BigInt(controlLength) &&
      view.getInt32(8, true) === SOL_SOCKET &&
      view.getInt32(12, true) === SCM_RIGHTS;
    return {
      bytes: message.payload.subarray(0, length),
      descriptor: carries ? new Descriptor(view.getInt32(16, true)) : undefined,
    };
  }
}

/**
 * Sends one descriptor; it stays open here.
 * @param payload text that goes along: a stream socket carries no descriptor without at least a byte
 * Throws SyscallError.
 */
export function sendDescriptor(socket: number, descriptor: number, payload: string): void {
  const control = new Uint8Array(controlSize);
  const view = new DataView(control.buffer);
  view.setBigUint64(0, BigInt(controlLength), true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  view.setInt32(16, descriptor, true);
  const message = new MessageHeader(encodeText(payload), control);
  for (;;) {
    const sent = attempt.sendmsg(socket, message.bytes, MSG.NOSIGNAL);
    if (sent >= 0) return;
    if (sent !== -ERRNO.EINTR) throw failure("sendmsg", [socket, message.bytes, MSG.NOSIGNAL], -sent);
  }
}
