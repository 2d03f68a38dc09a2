// The supervisor: a process of its own, which answers the calls of one container for as long as that has processes.
import {
  SECCOMP_ARCH,
  SECCOMP_IOCTL,
  SECCOMP_USER_NOTIF_FD,
  X32_SYSCALL_BIT,
} from "../../../ffi/constants/seccomp.ts";
import { SOCK } from "../../../ffi/constants/socket.ts";
import { Descriptor } from "../../../ffi/file.ts";
import { attempt } from "../../../ffi/libc.ts";
import { Poll } from "../../../ffi/poll.ts";
import { type Answer, answer, isWaiting, receiveNotification } from "../../../ffi/seccomp-notify.ts";
import { receiveDescriptor } from "../../../ffi/socket.ts";
import { type Answered, answerCall, type Knowledge } from "./answer.ts";
import { answeredCalls } from "./calls.ts";
import { Owners } from "./owners.ts";
import { ShownIds } from "./shown-ids.ts";

/** The name of a call by its architecture (SECCOMP_ARCH) and number; undefined for one that no filter asks about. */
export type CallNames = (architecture: number, number: number) => string | undefined;

/** Architectures whose oldest calls have ids of 16 bits. */
const narrow: readonly number[] = [SECCOMP_ARCH.X86, SECCOMP_ARCH.ARM];

/**
 * Answers until no process is left that could ask.
 * @param listener of the container's first process
 * @param socket on which the listeners of further processes come; one byte is the answer
 */
export function supervise(listener: Descriptor, socket: Descriptor, nameOf: CallNames): void {
  const knowledge: Knowledge = { owners: new Owners(), ids: new ShownIds() };
  for (let listeners = [listener]; listeners.length > 0; )
    listeners = serve(socket, listeners, knowledge, nameOf);
}

/** Answers until there is a listener more, or fewer. */
function serve(
  socket: Descriptor,
  listeners: readonly Descriptor[],
  knowledge: Knowledge,
  nameOf: CallNames,
): Descriptor[] {
  // One waits while the other works: to wake another processor each time would take longer. Older kernels refuse.
  for (const { fd } of listeners) {
    attempt.ioctl(fd, SECCOMP_IOCTL.NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD.SYNC_WAKE_UP);
  }
  const poll = new Poll([socket.fd, ...listeners.map(({ fd }) => fd)]);
  for (;;) {
    poll.wait();
    const ended = listeners.filter((_, index) => poll.ready(index + 1) && !poll.isReadable(index + 1));
    for (const [index, { fd }] of listeners.entries()) {
      if (poll.isReadable(index + 1)) answerNext(fd, knowledge, nameOf);
    }
    const further = poll.ready(0) ? acceptListener(socket) : undefined;
    if (!further && ended.length === 0) continue;
    // Nobody is under their filters any more.
    for (const one of ended) one.close();
    const left = listeners.filter((one) => !ended.includes(one));
    return further ? [...left, further] : left;
  }
}

/** struct timespec: whom the caller stops in between must not stop the container. */
const aSecond = new Uint8Array(BigInt64Array.of(1n, 0n).buffer);

/** Another process of the container, by `exec`. */
function acceptListener(socket: Descriptor): Descriptor | undefined {
  const fd = attempt.accept4(socket.fd, null, null, SOCK.CLOEXEC);
  if (fd < 0) return undefined;
  using connection = new Descriptor(fd);
  try {
    const sent = new Poll([connection.fd]);
    sent.wait(aSecond);
    const listener = sent.ready(0) ? receiveDescriptor(connection.fd) : undefined;
    // Who has gone again closes the listener's other side, too.
    if (listener) attempt.write(connection.fd, new Uint8Array(1), 1);
    return listener;
  } catch {
    return undefined;
  }
}

function answerNext(listener: number, knowledge: Knowledge, nameOf: CallNames): void {
  const notification = receiveNotification(listener);
  if (!notification) return;
  const { id, architecture, number } = notification;
  const plain = architecture === SECCOMP_ARCH.X86_64 ? number & ~X32_SYSCALL_BIT : number;
  const call = answeredCalls[nameOf(architecture, plain) ?? ""];
  let sent = false;
  const send = ({ answer: result, undo }: Answered) => {
    sent = true;
    // Interrupted by a signal: the call is made anew, and asks again.
    if (!answer(listener, id, result)) undo?.();
  };
  try {
    if (!call) send({ answer: "continue" });
    else {
      const stillWaits = () => isWaiting(listener, id);
      answerCall(call, notification, knowledge, narrow.includes(architecture), stillWaits, send);
    }
  } catch {
    // Whatever went wrong with one call, the caller must not wait for ever.
    if (!sent) answer(listener, id, otherwise(call?.does));
  }
}

/** What the filter alone would have answered. */
function otherwise(does: "chown" | "stat" | "mknod" | undefined): Answer {
  return does === "chown" || does === "mknod" ? 0 : "continue";
}
