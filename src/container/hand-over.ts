// The listener of a filter, on its way from the process that has loaded the filter to who answers its calls. Loaded only
// when there is one.
import { ERRNO } from "../../ffi/constants/errno.ts";
import { S } from "../../ffi/constants/file.ts";
import { SyscallError } from "../../ffi/error.ts";
import { type Descriptor, isType, readInto, stat, writeAll } from "../../ffi/file.ts";
import { connectUnix, listenUnix, receiveDescriptor, sendDescriptor, socketPair } from "../../ffi/socket.ts";
import { type HookState, stateDocument } from "../linux/hooks/state.ts";
import { startSupervisor } from "../linux/root-emulation/apply.ts";
import type { HandOver } from "../linux/seccomp/listen.ts";
import type { PlannedAgent } from "../linux/seccomp/plan.ts";
import type { Plan } from "../plan/types.ts";
import { SpecError } from "../spec/error.ts";
import { StateError } from "../state/error.ts";
import { files, ociVersion, type StateRecord } from "../state/record.ts";
import { supervisorCommand } from "./supervisor-command.ts";
import { checkSupervisorRights } from "./supervisor-rights.ts";

/** What state.json has as `listener`. */
export type Receiver = ({ readonly kind: "agent" } & PlannedAgent) | { readonly kind: "supervisor" };

/**
 * Who is to get the listener of a plan that has one.
 * @throws SpecError when nobody could listen at the agent's path
 */
export function receiverOf({ agent }: Pick<Plan, "agent">): Receiver {
  if (!agent) return { kind: "supervisor" };
  checkAgent(agent);
  return { kind: "agent", ...agent };
}

/** As it was kept. */
export function readReceiver({ listener }: Pick<StateRecord, "listener">): Receiver {
  return listener as Receiver;
}

/** Looks, and does not connect: an agent may take its connections one after the other, and wait for what comes first. */
function checkAgent({ path }: PlannedAgent): void {
  let problem = "which is no socket";
  try {
    if (isType(stat(path), S.IFSOCK)) return;
  } catch (cause) {
    if (!(cause instanceof SyscallError)) throw cause;
    problem = cause.errno === ERRNO.ENOENT ? "where nothing is" : "which cannot be looked at";
    throw noAgent(path, problem, cause);
  }
  throw noAgent(path, problem);
}

function noAgent(path: string, problem: string, cause?: Error): SpecError {
  return new SpecError(
    "linux.seccomp.listenerPath",
    `is ${path}, ${problem}: start the agent that answers SCMP_ACT_NOTIFY first`,
    cause ? { cause } : undefined,
  );
}

/** The process whose calls are answered, as the agent is told of it. */
export interface Listened {
  /** The container's directory. */
  readonly directory: Descriptor;
  readonly record: Pick<StateRecord, "id" | "pid" | "bundle" | "annotations">;
  readonly status: HookState["status"];
  /** Of the process under the filter. */
  readonly pid: number;
}

/**
 * Takes the listener from the process that has loaded the filter, gives it to its receiver, and lets the process go on.
 * Returns without it when the process has failed before: it says why itself.
 * @param connection to the recorded hand-over
 * Throws SpecError when the agent cannot be reached, StateError when no supervisor may be started; the process fails then.
 */
export function handOver(connection: Descriptor, receiver: Receiver, listened: Listened): void {
  using listener = takeListener(connection);
  if (!listener) return;
  if (receiver.kind === "agent") tellAgent(receiver, listener, listened);
  else supervisor(listener, listened);
  writeAll(connection.fd, new Uint8Array(1));
}

/** The two ends of a hand-over by a bunc that has started the process itself. */
export class Handing implements Disposable {
  private readonly ends = socketPair();

  /** What the process inherits. */
  get theirs(): HandOver {
    return { kind: "connected", fd: this.ends[1].fd };
  }

  /** The process has its end: from now on the end of file means that it is gone. */
  begun(): void {
    this.ends[1].close();
  }

  /** As handOver. */
  give(receiver: Receiver | null, listened: Listened): void {
    if (receiver) handOver(this.ends[0], receiver, listened);
  }

  [Symbol.dispose](): void {
    for (const end of this.ends) end.close();
  }
}

function takeListener(connection: Descriptor): Descriptor | undefined {
  try {
    return receiveDescriptor(connection.fd);
  } catch (error) {
    // The other end was closed before it had accepted the connection.
    if (error instanceof SyscallError && error.errno === ERRNO.ECONNRESET) return undefined;
    throw error;
  }
}

/** config-linux.md, "The Container Process State": one of them a connection. */
function tellAgent({ path, metadata }: PlannedAgent, listener: Descriptor, listened: Listened): void {
  const text = renderProcessState(metadata, listened);
  try {
    using agent = connectUnix(path);
    sendDescriptor(agent.fd, listener.fd, text);
  } catch (cause) {
    if (!(cause instanceof SyscallError)) throw cause;
    throw noAgent(path, "where no agent takes the listener", cause);
  }
}

/** The container has one: its first process brings it, and what `exec` adds goes to it. */
function supervisor(listener: Descriptor, { directory, record, status }: Listened): void {
  if (status === "running") {
    joinSupervisor(listener, directory);
    return;
  }
  checkSupervisorRights(record.pid);
  using socket = listenUnix(directory.fd, files.supervisor);
  startSupervisor([supervisorCommand, record.id], listener, socket);
}

function joinSupervisor(listener: Descriptor, directory: Descriptor): void {
  try {
    using socket = connectUnix(`/proc/self/fd/${directory.fd}/${files.supervisor}`);
    sendDescriptor(socket.fd, listener.fd, "\0");
    if (readInto(socket.fd, new Uint8Array(1)) === 1) return;
  } catch (cause) {
    if (!(cause instanceof SyscallError)) throw cause;
    throw noSupervisor(cause);
  }
  throw noSupervisor();
}

function noSupervisor(cause?: Error): StateError {
  return new StateError(
    "conflict",
    "the supervisor of root emulation has ended, and the container cannot go on: delete it",
    cause ? { cause } : undefined,
  );
}

/** The JSON that an agent gets. */
export function renderProcessState(
  metadata: string,
  { record, status, pid }: Pick<Listened, "record" | "status" | "pid">,
): string {
  const { id, bundle, annotations } = record;
  return JSON.stringify({
    ociVersion,
    fds: ["seccompFd"],
    pid,
    ...(metadata === "" ? {} : { metadata }),
    state: stateDocument({ ociVersion, id, status, pid: record.pid, bundle, annotations }),
  });
}
