import { ERRNO } from "../../ffi/constants/errno.ts";
import { AT, O } from "../../ffi/constants/file.ts";
import { SyscallError } from "../../ffi/error.ts";
import { type Descriptor, exists, openFile, writeAtomically } from "../../ffi/file.ts";
import { connectUnix, receiveDescriptor, socketPair } from "../../ffi/socket.ts";
import { endStage } from "../../ffi/timing.ts";
import { type CgroupRecord, directoriesOf, readCgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { isFrozen } from "../linux/cgroups/frozen.ts";
import { besideInit } from "../linux/cgroups/init-cgroup.ts";
import { subCgroup } from "../linux/cgroups/sub-cgroup.ts";
import type { IntelRdtRecord } from "../linux/intel-rdt/groups.ts";
import { applyRlimits } from "../linux/rlimits/apply.ts";
import type { ExecPlan } from "../plan/resolve-exec.ts";
import { SpecError } from "../spec/error.ts";
import { StateError } from "../state/error.ts";
import type { StateRecord } from "../state/record.ts";
import { directoryOf, load } from "../state/store.ts";
import { checkPreserved, compileFilters, listensFor, openHandOver, receiverOf } from "./create.ts";
import { ContainerError } from "./error.ts";
import { type ExecLaunch, type ExecLaunchOptions, launchExec, ProcessKilled } from "./exec-launch.ts";
import { openInit, signalInit, waitForInit } from "./init.ts";
import { loadSeldom } from "./load-seldom.ts";
import type { ExecOptions } from "./options.ts";
import { prepareExec } from "./prepare-exec.ts";
import { copyWindowSize } from "./raw-terminal.ts";
import { catchForwarded, supervise } from "./supervise.ts";

/**
 * `exec`: runs a further process in a container, and waits for it unless it is to be detached. Takes no lock: any number
 * of them may go on at once.
 * @returns the exit status for the shell: the process's, 128+n when signal n ended it, 0 when detached
 * Throws StateError when the container does not run, SpecError, ContainerError, SyscallError; then nothing is left.
 */
export function execInContainer(options: ExecOptions): number {
  const { root, id } = options;
  const record = load(root, id);
  using init = openInit(record);
  if (!init) throw stopped(id);
  const look = <Found>(action: () => Found) => unlessStopped(record, init, action);
  const cgroup = look(() => cgroupOf(record, options));
  const plan = look(() => prepareExec(options, record));
  checkConsole(plan, options);
  checkPreserved(options.preserveFds);
  using signals = options.detach ? undefined : catchForwarded();
  const receiver = receiverOf(plan);
  using handing = listensFor(plan) ? openHandOver() : undefined;
  using directory = look(() => openFile(directoryOf(root, id), O.RDONLY | O.DIRECTORY | O.NOFOLLOW));
  const { launch, master } = look(() =>
    launchIn(record, init, plan, { cgroup, handing, directory }, options),
  );
  look(() => {
    try {
      if (master) copyWindowSize(master.fd);
      if (record.intelRdt) joinClass(record, launch.pid);
      applyRlimits(plan.rlimits, launch.pid);
      if (plan.seldom) loadSeldom().applySettings(plan.seldom, launch.pid);
      const { pid } = launch;
      launch.letGo(handing && (() => handing.give(receiver, { directory, record, status: "running", pid })));
      endStage("start");
      tell(options, pid);
    } catch (error) {
      // Before anybody waits for the container's end: it waits for that of this process.
      launch.abandon();
      master?.close();
      throw error;
    }
  });
  launch.close();
  return signals ? supervise(launch.pid, signals, master) : 0;
}

/** Tells who asked for it the process's number. */
function tell({ pidfdSocket, pidFile }: ExecOptions, pid: number): void {
  if (pidfdSocket !== undefined) {
    const { sendPidfd } = require("./pidfd-socket.ts") as typeof import("./pidfd-socket.ts");
    sendPidfd(pidfdSocket, pid);
  }
  // Last: who finds it may act on the process.
  if (pidFile !== undefined) writeAtomically(AT.FDCWD, pidFile, String(pid), 0o644);
}

function stopped(id: string): StateError {
  return new StateError("conflict", `cannot exec in a stopped container: "${id}"`);
}

/** Does something that looks at init. When init ends meanwhile, what failed to be found is not the reason. */
function unlessStopped<Found>({ id, pid }: StateRecord, init: Descriptor, action: () => Found): Found {
  try {
    return action();
  } catch (error) {
    // A process that is ending loses its namespaces and its root some time before it has ended, and an init the others of
    // its pid namespace.
    const call = error instanceof ContainerError ? error.cause : error;
    const isEnding =
      error instanceof ProcessKilled ||
      (call instanceof SyscallError &&
        (call.errno === ERRNO.ESRCH || call.rendered.includes(`"/proc/${pid}/`)));
    throw waitForInit(init, isEnding ? 1000 : 0) ? stopped(id) : error;
  }
}

function launchIn(
  record: StateRecord,
  init: Descriptor,
  plan: ExecPlan,
  { cgroup, handing, directory }: Pick<ExecLaunchOptions, "cgroup" | "handing" | "directory">,
  options: ExecOptions,
): { launch: ExecLaunch; master: Descriptor | undefined } {
  using root = openFile(`/proc/${record.pid}/root`, O.PATH | O.DIRECTORY);
  // The number may have become another process's meanwhile; as long as init is there, it has not.
  if (!signalInit(init, 0)) throw stopped(options.id);
  const [ours, theirs] = consoleOf(plan, options);
  using console = theirs;
  using receiving = ours;
  const filters = compileFilters(plan, options);
  endStage("filter");
  const { id, log } = options;
  const launch = launchExec(plan, { init, root, console, cgroup, filters, handing, directory, id, log });
  const master = receiving && receiveDescriptor(receiving.fd);
  return { launch, master };
}

function joinClass({ intelRdt }: StateRecord, pid: number): void {
  const { joinIntelRdt } =
    require("../linux/intel-rdt/groups.ts") as typeof import("../linux/intel-rdt/groups.ts");
  joinIntelRdt(intelRdt as IntelRdtRecord, pid);
}

/** What the terminal's master comes through, and what it is sent to. */
function consoleOf(
  { terminal }: ExecPlan,
  { consoleSocket }: ExecOptions,
): [ours: Descriptor | undefined, theirs: Descriptor | undefined] {
  if (terminal.kind === "none") return [undefined, undefined];
  return consoleSocket === undefined ? socketPair() : [undefined, connectUnix(consoleSocket)];
}

/** The cgroup to enter; null where the container has none. */
function cgroupOf(record: StateRecord, { id, cgroups, ignorePaused }: ExecOptions): CgroupRecord | null {
  const own = readCgroupRecord(record.cgroup);
  if (!own) {
    if (cgroups.length === 0) return null;
    throw new SpecError("--cgroup", `names a cgroup of container "${id}", which has none`);
  }
  if (!ignorePaused && isFrozen(own)) {
    throw new StateError(
      "conflict",
      `cannot exec in a paused container: "${id}"; resume it, or pass --ignore-paused to wait until somebody does`,
    );
  }
  const entered = cgroups.length === 0 ? besideInit(own, record.pid) : subCgroup(own, cgroups);
  for (const { path } of directoriesOf(entered)) {
    if (!exists(path)) throw new SpecError("--cgroup", `leads to ${path}, which does not exist`);
  }
  return entered;
}

function checkConsole(plan: ExecPlan, { detach, consoleSocket }: ExecOptions): void {
  if (plan.terminal.kind === "none" && consoleSocket !== undefined) {
    throw new SpecError(
      "process.terminal",
      "is not true, so --console-socket would get nothing: leave it out, or pass --tty",
    );
  }
  if (plan.terminal.kind === "new" && detach && consoleSocket === undefined) {
    throw new SpecError(
      "process.terminal",
      "is true: with --detach, --console-socket must name the socket that takes the terminal",
    );
  }
}
