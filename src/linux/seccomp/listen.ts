// A filter with a listener: whoever answers its calls gets the descriptor that the kernel returns for it.
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { O } from "../../../ffi/constants/file.ts";
import { CLONE, PR } from "../../../ffi/constants/process.ts";
import { SIG } from "../../../ffi/constants/signal.ts";
import { MSG, SOCK } from "../../../ffi/constants/socket.ts";
import type { Program, Step } from "../../../ffi/program/program.ts";
import { CLONE_ARGS_SIZE, cloneArgs } from "../../../ffi/structs/clone-args.ts";
import { descriptorMessage } from "../../../ffi/structs/descriptor-message.ts";

/** A Unix stream socket that the descriptor is sent over; one byte comes back when it has got where it belongs. */
export interface HandOver {
  /** The socket waits for somebody to connect, or somebody is. */
  readonly kind: "listening" | "connected";
  /** Close-on-exec in the process that loads the filter. */
  readonly fd: number;
}

/** What is sent along: a stream carries no descriptor without a byte. */
const payload = "\0";

/**
 * Records a step that loads a filter with a listener, and the hand-over of its descriptor. Sending it is a system call,
 * and who is under the filter waits in it for the agent that has no descriptor yet. So it is done by a second process,
 * which is not under the filter and shares the table of descriptors. One call is left to the first: write(2), which tells
 * it the number. Until the agent has answered, nothing else happens.
 * @param load records the step; its result is the descriptor
 */
export function recordListen(
  program: Program,
  { kind, fd }: HandOver,
  load: () => Step,
  origin: string,
): void {
  program.because(origin);
  const event = program.eventfd2(0, O.CLOEXEC);
  const parent = program.label("filter");
  const args = cloneArgs({ flags: CLONE.FILES, exitSignal: SIG.CHLD });
  const helper = program.register("hand-over");
  program.clone3(program.data(args, "{CLONE_FILES}"), CLONE_ARGS_SIZE).into(helper).ifNonZero(parent);
  // It holds the event itself, and would wait for ever.
  program.prctl(PR.SET_PDEATHSIG, SIG.KILL, 0, 0, 0);
  const message = descriptorMessage(program, payload);
  // The counter's 64 bits are the number, and in the message its padding, too.
  program.read(event, message.descriptor, 8);
  const connection = kind === "listening" ? program.accept4(fd, null, null, SOCK.CLOEXEC) : fd;
  program.sendmsg(connection, message.header, MSG.NOSIGNAL);
  program.expect(program.read(connection, program.space(8), 1), -1, 1, ERRNO.EPIPE);
  program.exit_group(0);
  program.place(parent);
  const listener = load();
  const counter = program.data(new Uint8Array(8), "{listener}");
  program.store(counter, listener, 4);
  program.write(event, counter, 8);
  // From here on the agent can answer. A profile may refuse the wait; then the process stays unwaited for.
  const status = program.space(8, "status");
  program.wait4(helper, status, 0, null).ignore();
  program.expect(status, 0xffff_ffff, 0, ERRNO.EPIPE);
}
