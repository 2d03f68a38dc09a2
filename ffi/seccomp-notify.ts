// The side of a listener that answers: seccomp_unotify(2), include/uapi/linux/seccomp.h.
import { ERRNO } from "./constants/errno.ts";
import { SECCOMP_IOCTL, SECCOMP_USER_NOTIF_FLAG } from "./constants/seccomp.ts";
import { attempt, failure } from "./libc.ts";

/** A call that waits for its answer. */
export interface Notification {
  readonly id: bigint;
  /** The thread, as the reader's pid namespace numbers it; 0 where it cannot be seen. */
  readonly pid: number;
  /** The call's number, for the architecture. */
  readonly number: number;
  /** SECCOMP_ARCH; x32 is told by the bit in the number. */
  readonly architecture: number;
  /** All 64 bits of the six registers. */
  readonly args: BigUint64Array;
}

/** What becomes of a call: a result of 0 or more, the negated error number, or the kernel makes it. */
export type Answer = number | "continue";

// struct seccomp_notif { u64 id; u32 pid; u32 flags; struct seccomp_data { s32 nr; u32 arch; u64 ip; u64 args[6]; } }
const notificationSize = 80;
const argsOffset = 32;
// struct seccomp_notif_resp { u64 id; s64 value; s32 error; u32 flags; }
const answerSize = 24;

/**
 * Takes the next call; waits when there is none.
 * @returns undefined when its process was ended meanwhile
 * Throws SyscallError.
 */
export function receiveNotification(listener: number): Notification | undefined {
  // The kernel wants it zeroed.
  const bytes = new Uint8Array(notificationSize);
  const result = attempt.ioctl(listener, SECCOMP_IOCTL.NOTIF_RECV, bytes);
  if (result === -ERRNO.ENOENT || result === -ERRNO.EINTR) return undefined;
  if (result < 0) throw failure("ioctl", [listener, SECCOMP_IOCTL.NOTIF_RECV, bytes], -result);
  const view = new DataView(bytes.buffer);
  return {
    id: view.getBigUint64(0, true),
    pid: view.getUint32(8, true),
    number: view.getInt32(16, true),
    architecture: view.getUint32(20, true),
    args: new BigUint64Array(bytes.buffer, argsOffset, 6),
  };
}

/**
 * Whether the call still waits. What was opened by the pid before that belongs to its process; what is opened afterwards may
 * be another's.
 */
export function isWaiting(listener: number, id: bigint): boolean {
  const bytes = new Uint8Array(BigUint64Array.of(id).buffer);
  return attempt.ioctl(listener, SECCOMP_IOCTL.NOTIF_ID_VALID, bytes) === 0;
}

/** Answers a call; false when it does not wait any more. Throws SyscallError. */
export function answer(listener: number, id: bigint, result: Answer): boolean {
  const bytes = new Uint8Array(answerSize);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, id, true);
  if (result === "continue") view.setUint32(20, SECCOMP_USER_NOTIF_FLAG.CONTINUE, true);
  else if (result < 0) view.setInt32(16, result, true);
  else view.setBigInt64(8, BigInt(result), true);
  const sent = attempt.ioctl(listener, SECCOMP_IOCTL.NOTIF_SEND, bytes);
  if (sent === -ERRNO.ENOENT) return false;
  if (sent < 0) throw failure("ioctl", [listener, SECCOMP_IOCTL.NOTIF_SEND, bytes], -sent);
  return true;
}
