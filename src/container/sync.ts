import { ERRNO } from "../../ffi/constants/errno.ts";
import { AT, O } from "../../ffi/constants/file.ts";
import { AF, SOCK } from "../../ffi/constants/socket.ts";
import { Descriptor, writeAll } from "../../ffi/file.ts";
import { attempt, failure, libc } from "../../ffi/libc.ts";
import type { Program, Register, Step } from "../../ffi/program/program.ts";
import { descriptorMessage } from "../../ffi/structs/descriptor-message.ts";

// The talk between bunc and the program, over one socket pair. Every line is one packet.
//
//   bunc                              first process                  init
//  [go            ────────────────────▶ was put into a scope of systemd]
//                                     enters cgroups, joins, clones
//                 ◀────────────────── pid N, exits
//   writes the id maps, moves
//   network devices
//   go            ─────────────────────────────────────────────────▶ sets everything up
//                 ◀───────────────────────────────────────────────── hooks
//   runs prestart, createRuntime, createContainer
//   go            ─────────────────────────────────────────────────▶ masks, switches the root
//                 ◀───────────────────────────────────────────────── ready
//   writes the state
//   go            ─────────────────────────────────────────────────▶ waits at its gate
//
// Without maps to write and devices to move there is no first `go`, and init's first answer may come before its pid is told. Without hooks of
// these kinds there are no `hooks` and no `go` for them. The program of a hook inside the container tells a pid, too.
//
// Before any answer of init's may come `instead`: a step was not permitted, and another one is tried; or `copy` and three
// descriptors, when a tmpfs is to be filled, and then it waits for a `go` of its own.
// The program of `exec` tells the pid of the process that joins, where it was born into a cgroup, and that of the process in
// the container, which says `ready` and waits for `go`; the two pids come in this order, `ready` at any time.
//
// In place of any answer may come {step, errno}: that step failed and its process has ended. End of file
// instead of an answer: the process was killed. End of file instead of `go`: bunc was, and the process ends, too.

/** Answers of the program; a failure's first word is the index of a step, always smaller. */
const answers = {
  pid: 0xffff_ff01,
  ready: 0xffff_ff02,
  hooks: 0xffff_ff03,
  instead: 0xffff_ff04,
  copy: 0xffff_ff05,
} as const;

export type Message =
  | { readonly kind: "pid"; readonly pid: number }
  | { readonly kind: "ready" }
  | { readonly kind: "hooks" }
  | { readonly kind: "instead"; readonly step: number }
  /** Three packets with a descriptor each follow. */
  | { readonly kind: "copy"; readonly mount: number }
  | { readonly kind: "failure"; readonly step: number; readonly errno: number }
  | { readonly kind: "end" };

/** Bytes of one answer: two 32-bit words. */
export const messageSize = 8;

/** Both ends of the talk; the program inherits `theirs`. */
export function openSync(): { ours: Descriptor; theirs: Descriptor } {
  const pair = new Uint32Array(2);
  // Packets keep their borders, and unlike datagrams the socket knows when the other end is gone.
  libc.socketpair(AF.UNIX, SOCK.SEQPACKET | SOCK.CLOEXEC, 0, new Uint8Array(pair.buffer));
  return { ours: new Descriptor(pair[0] ?? -1), theirs: new Descriptor(pair[1] ?? -1) };
}

/** Lets the program go on. */
export function sendGo(socket: number): void {
  writeAll(socket, new Uint8Array(1));
}

/** Waits for the next answer of the program. */
export function receive(socket: number): Message {
  const bytes = new Uint8Array(messageSize);
  for (;;) {
    const count = attempt.read(socket, bytes, messageSize);
    if (count >= 0) return readMessage(bytes, count);
    // It was killed before it had read what was sent to it.
    if (count === -ERRNO.ECONNRESET) return { kind: "end" };
    if (count !== -ERRNO.EINTR) throw failure("read", [socket, bytes, messageSize], -count);
  }
}

const SHUT_WR = 1;

/**
 * Ends the talk from our side: who waits for `go` ends. Returns the pid if it was told meanwhile, or 0.
 * The kernel lets us read on until every process of the program is gone.
 */
export function hangUp(socket: number): number {
  attempt.shutdown(socket, SHUT_WR);
  for (let pid = 0; ; ) {
    const message = receive(socket);
    if (message.kind === "end") return pid;
    if (message.kind === "pid") pid = message.pid;
  }
}

/** Understands one answer, or what init wrote to the result FIFO. */
export function readMessage(bytes: Uint8Array, length: number): Message {
  if (length < messageSize) return { kind: "end" };
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 2);
  const first = words[0] as number;
  const second = words[1] as number;
  if (first === answers.pid) return { kind: "pid", pid: second };
  if (first === answers.ready) return { kind: "ready" };
  if (first === answers.hooks) return { kind: "hooks" };
  if (first === answers.copy) return { kind: "copy", mount: second };
  if (first === answers.instead) return { kind: "instead", step: second };
  return { kind: "failure", step: first, errno: second };
}

/** One answer of the program, as readMessage understands it. */
const answerBytes = (first: number, second = 0): Uint8Array =>
  new Uint8Array(new Uint32Array([first, second]).buffer);

/** Records: waits until the other side lets us go on; ends the program when it is gone instead. */
export function recordAwait(program: Program, socket: number): void {
  const count = program.read(socket, program.space(8), 1);
  program.expect(count, -1, 1, ERRNO.EPIPE);
}

/** Records: tells that the next step is there for one that was not permitted. */
export function recordTellInstead(program: Program, socket: number): void {
  const next = program.steps.length + 1;
  const message = program.constant(answerBytes(answers.instead, next), "{instead}");
  program.write(socket, message, messageSize).ignore();
}

/**
 * Records: has a directory copied into another one, and waits until that is done. The container's user namespace goes
 * along: who may look into this process's files in /proc is not certain.
 * @param mount index of the mount that asked for it
 */
export function recordAskCopy(
  program: Program,
  socket: number,
  mount: number,
  source: Register | Step,
  target: Register | Step,
): void {
  const message = program.constant(answerBytes(answers.copy, mount), "{copy}");
  program.write(socket, message, messageSize);
  const user = program.openat(AT.FDCWD, "/proc/self/ns/user", O.RDONLY | O.CLOEXEC, 0);
  for (const [what, fd] of [
    ["source", source],
    ["target", target],
    ["user", user],
  ] as const) {
    const packet = descriptorMessage(program, what);
    program.store(packet.descriptor, fd, 4);
    program.sendmsg(socket, packet.header, 0);
  }
  program.close(user);
  recordAwait(program, socket);
}

/** Records: tells the pid in a register. */
export function recordTellPid(program: Program, socket: number, pid: Register): void {
  const message = program.data(answerBytes(answers.pid), "{pid}");
  program.store(message.at(4), pid, 4);
  program.write(socket, message, messageSize);
}

/** Records: tells that everything is set up, or that it is the time for hooks. */
export function recordTell(program: Program, socket: number, answer: "ready" | "hooks"): void {
  program.write(socket, program.constant(answerBytes(answers[answer]), `{${answer}}`), messageSize);
}
