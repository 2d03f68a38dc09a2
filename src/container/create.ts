import { AT, F, O, S } from "../../ffi/constants/file.ts";
import { Descriptor, openFile, readLink, writeAtomically } from "../../ffi/file.ts";
import { attempt, libc } from "../../ffi/libc.ts";
import { connectUnix, listenUnix } from "../../ffi/socket.ts";
import { endStage } from "../../ffi/timing.ts";
import { briefOf } from "../linux/cgroups/brief.ts";
import { loadFilter } from "../linux/seccomp/compile.ts";
import { isListening } from "../linux/seccomp/plan.ts";
import type { Plan } from "../plan/types.ts";
import { SpecError } from "../spec/error.ts";
import { owner } from "../state/owner.ts";
import { readProcess } from "../state/process.ts";
import { files, ociVersion, recordVersion, type StateRecord } from "../state/record.ts";
import { commit, remove, reserve } from "../state/store.ts";
import { timestamp } from "../state/timestamp.ts";
import type { CompiledFilters } from "./confinement.ts";
import type { CreateHooks } from "./create-hooks.ts";
import { ContainerError } from "./error.ts";
import type { Handing, Receiver } from "./hand-over.ts";
import { launch } from "./launch.ts";
import type { Launched, RecordDraft } from "./launched.ts";
import type { CreateOptions } from "./options.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { sendGo } from "./sync.ts";

/** crun's way to say --pidfd-socket in config.json. */
export const pidfdAnnotation = "run.oci.pidfd_receiver";

/**
 * `create`: everything up to the execution of the container's process, for which init waits. When it returns, init is a
 * child of this process and becomes one of the caller's when this process ends.
 * Throws SpecError, StateError, ContainerError, SyscallError; then nothing is left behind.
 */
export function createContainer(options: CreateOptions): { pid: number } {
  const prepared = prepare(options);
  const { plan } = prepared;
  checkConsole(plan, options);
  checkPreserved(options.preserveFds, options.listenFds);
  const directory = reserve(options.root, options.id);
  endStage("reserve id");
  const hooks = hooksOf(plan, options, directory);
  try {
    const receiver = receiverOf(plan);
    const launched = launchAtFifos(prepared, options, directory, hooks);
    try {
      keep(plan, options, launched, directory, { hooks, receiver });
      sendGo(launched.sync.fd);
    } catch (error) {
      launched.abandon();
      throw error;
    }
    launched.sync.close();
    return { pid: launched.pid };
  } catch (error) {
    remove(options.root, options.id, directory);
    hooks?.undo();
    throw error;
  } finally {
    directory.close();
  }
}

/** Init waits on a FIFO, and reports on another, so that another process can be the one to start it. */
function launchAtFifos(
  { plan, bytes }: Prepared,
  options: CreateOptions,
  directory: Descriptor,
  hooks: CreateHooks | undefined,
): Launched {
  using start = makeFifo(directory, files.startFifo);
  using result = makeFifo(directory, files.resultFifo);
  using listening = listensFor(plan) ? listenUnix(directory.fd, files.handOver) : undefined;
  using console =
    options.consoleSocket === undefined ? new Descriptor(-1) : connectUnix(options.consoleSocket);
  return launch(plan, {
    log: options.log,
    gate: { kind: "fifo", start: start.fd, result: result.fd },
    console: console.fd,
    filters: () => compileFilters(plan, options),
    config: bytes,
    draft: () => draftRecord(plan),
    hooks: hooks?.beforeSwitch,
    directory,
    handOver: listening ? { kind: "listening", fd: listening.fd } : null,
  });
}

/** Opened for both directions: opening does not wait, and init sees no end of file while nobody has the other end. */
function makeFifo(directory: Descriptor, name: string): Descriptor {
  libc.mknodat(directory.fd, name, S.IFIFO | 0o600, 0);
  return openFile(name, O.RDWR, 0, directory.fd);
}

/** The hooks' part in making the container; undefined when config.json has none, and then nothing of theirs is loaded. */
export function hooksOf(plan: Plan, options: CreateOptions, directory: Descriptor): CreateHooks | undefined {
  if (plan.hooks === null) return undefined;
  const { CreateHooks } = require("./create-hooks.ts") as typeof import("./create-hooks.ts");
  return new CreateHooks(plan, plan.hooks, directory, options.log);
}

/** Whether somebody outside answers calls of the container. */
export function listensFor({ agent, emulation }: Pick<Plan, "agent" | "emulation">): boolean {
  return agent !== null || isListening(emulation);
}

/** Who does; null for nobody, and then nothing of it is loaded. Throws SpecError when that one cannot be there. */
export function receiverOf(plan: Pick<Plan, "agent" | "emulation">): Receiver | null {
  return listensFor(plan) ? loadHandOver().receiverOf(plan) : null;
}

/** The hand-over of a listener that this process takes itself. */
export function openHandOver(): Handing {
  return new (loadHandOver().Handing)();
}

const loadHandOver = () => require("./hand-over.ts") as typeof import("./hand-over.ts");

/** The filters of the plan, from the cache beside the containers when they were compiled before. */
export function compileFilters(
  plan: Pick<Plan, "seccomp" | "emulation">,
  options: Pick<CreateOptions, "root" | "log">,
): CompiledFilters {
  const compile = (planned: Plan["seccomp"]) =>
    planned.kind === "none"
      ? undefined
      : loadFilter(planned, `${options.root}/.seccomp`, (message) => options.log.debug(message));
  return { profile: compile(plan.seccomp), emulation: compile(plan.emulation) };
}

/** Who else has a part in a container. */
interface Surroundings {
  readonly hooks: CreateHooks | undefined;
  /** Who answers calls of its processes. */
  readonly receiver: Receiver | null;
}

/** A container's record, as far as it is known before its processes are there. */
export function draftRecord(plan: Plan): RecordDraft {
  return {
    version: recordVersion,
    ociVersion,
    id: plan.id,
    bundle: plan.bundle,
    rootfs: plan.rootfs.path,
    created: timestamp(),
    owner: owner(),
    annotations: plan.annotations,
    executable: plan.execution.kind === "execute" ? (plan.execution.args[0] ?? "") : "",
    keyring: plan.credentials.keyring,
    rootEmulation: plan.rootEmulation,
    notify: plan.notify,
  };
}

/** Writes what other commands and the caller are told of the container. */
export function keep(
  plan: Plan,
  options: Pick<CreateOptions, "root" | "log" | "pidFile" | "pidfdSocket">,
  launched: Pick<Launched, "pid" | "cgroup" | "intelRdt" | "draft">,
  directory: Descriptor,
  { hooks, receiver }: Surroundings,
): StateRecord {
  const record: StateRecord = {
    ...launched.draft,
    pid: launched.pid,
    processStartTime: readProcess(launched.pid)?.startTime ?? 0,
    cgroup: launched.cgroup,
    intelRdt: launched.intelRdt,
    listener: receiver,
    hooks: hooks?.keep(launched.cgroup, () => compileFilters(plan, options)) ?? null,
  };
  commit(directory, record, briefOf(record.cgroup));
  endStage("state");
  const pidfdSocket = options.pidfdSocket ?? plan.annotations[pidfdAnnotation];
  if (pidfdSocket !== undefined) {
    const { sendPidfd } = require("./pidfd-socket.ts") as typeof import("./pidfd-socket.ts");
    sendPidfd(pidfdSocket, launched.pid);
  }
  // Last: who finds it may act on the container.
  if (options.pidFile !== undefined) writeAtomically(AT.FDCWD, options.pidFile, String(launched.pid), 0o644);
  endStage("pid file");
  return record;
}

function checkConsole(plan: Plan, options: CreateOptions): void {
  const wanted = plan.terminal.kind === "new";
  if (wanted && options.consoleSocket === undefined) {
    throw new SpecError(
      "process.terminal",
      "is true: --console-socket must name the socket that takes the terminal",
    );
  }
  if (!wanted && options.consoleSocket !== undefined) {
    throw new SpecError(
      "process.terminal",
      "is not true, so --console-socket would get nothing: leave it out",
    );
  }
}

/**
 * A descriptor that is promised to the container must be one that the caller gave. Where it gave none, the engine's own
 * first one has taken the number: its event queue, which nobody passes to a program.
 * @param sockets how many of LISTEN_FDS come before the preserved ones
 */
export function checkPreserved(count: number, sockets = 0): void {
  for (let fd = 3; fd < 3 + sockets + count; fd++) {
    if (attempt.fcntl(fd, F.GETFD, 0) >= 0 && readLink(`/proc/self/fd/${fd}`) !== "anon_inode:[eventpoll]")
      continue;
    const [property, number] = fd < 3 + sockets ? ["LISTEN_FDS", sockets] : ["--preserve-fds", count];
    throw new ContainerError(
      property,
      `${property} ${number} promises descriptor ${fd} to the container, but the caller has not passed it`,
    );
  }
}
