import { PR } from "../../ffi/constants/process.ts";
import { Descriptor } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { connectUnix, receiveDescriptor, socketPair } from "../../ffi/socket.ts";
import { endStage } from "../../ffi/timing.ts";
import { destroyCgroup } from "../linux/cgroups/destroy.ts";
import type { IntelRdtRecord } from "../linux/intel-rdt/groups.ts";
import type { Plan } from "../plan/types.ts";
import { SpecError } from "../spec/error.ts";
import { StateError } from "../state/error.ts";
import type { StateRecord } from "../state/record.ts";
import { load, openContainer, remove, reserve } from "../state/store.ts";
import {
  checkPreserved,
  compileFilters,
  draftRecord,
  hooksOf,
  keep,
  listensFor,
  openHandOver,
  receiverOf,
} from "./create.ts";
import type { CreateHooks } from "./create-hooks.ts";
import type { Handing } from "./hand-over.ts";
import { launch } from "./launch.ts";
import type { Launched } from "./launched.ts";
import type { Notify } from "./notify.ts";
import type { ContainerOptions, RunOptions } from "./options.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { copyWindowSize, isTerminal } from "./raw-terminal.ts";
import { catchForwarded, supervise } from "./supervise.ts";
import { receive, sendGo } from "./sync.ts";

/**
 * `run`: create and start; then wait, unless it is to be detached.
 * @returns the exit status for the shell: the process's, 128+n when signal n ended it, 0 when detached
 * Throws what `create` and `start` throw.
 */
export function runContainer(options: RunOptions): number {
  const prepared = prepare(options);
  const { plan } = prepared;
  checkConsole(plan, options);
  checkPreserved(options.preserveFds, options.listenFds);
  const foregroundTerminal =
    plan.terminal.kind === "new" && !options.detach && options.consoleSocket === undefined;
  if (!options.detach && options.subreaper) libc.prctl(PR.SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const directory = reserve(options.root, options.id);
  endStage("reserve id");
  using signals = options.detach ? undefined : catchForwarded();
  const hooks = hooksOf(plan, options, directory);
  let notify: Notify | undefined;
  try {
    const receiver = receiverOf(plan);
    using handing = listensFor(plan) ? openHandOver() : undefined;
    const { launched, master } = launchAtSocket(prepared, options, directory, foregroundTerminal, {
      hooks,
      handing,
    });
    let record: StateRecord;
    try {
      if (plan.notify) notify = openNotify(options, launched.pid, directory);
      record = keep(plan, options, launched, directory, { hooks, receiver });
      if (master) copyWindowSize(master.fd);
      if (record.hooks) loadHooks().runStartHooks(record, directory);
      const { pid } = launched;
      const give = handing && (() => handing.give(receiver, { directory, record, status: "created", pid }));
      letGo(plan, launched, give);
      if (record.hooks) loadHooks().runPoststartHooks(record);
    } catch (error) {
      launched.abandon();
      throw error;
    }
    directory.close();
    if (!signals) {
      notify?.await(record);
      return 0;
    }
    const status = supervise(launched.pid, signals, master, notify);
    endStage("wait for the process");
    if (!options.keep) cleanUp(options, launched, record);
    return status;
  } catch (error) {
    if (directory.fd >= 0) {
      remove(options.root, options.id, directory);
      hooks?.undo();
    }
    throw error;
  } finally {
    notify?.close();
    directory.close();
  }
}

/** Whoever waits here in the foreground is the caller's main process, as with runc: it ends with the container. */
function openNotify(
  { notifySocket = "", detach, log }: RunOptions,
  init: number,
  directory: Descriptor,
): Notify {
  const { Notify } = require("./notify.ts") as typeof import("./notify.ts");
  return new Notify(directory, notifySocket, detach ? init : process.pid, log);
}

const loadHooks = () => require("./later-hooks.ts") as typeof import("./later-hooks.ts");

function launchAtSocket(
  { plan, bytes }: Prepared,
  options: RunOptions,
  directory: Descriptor,
  foregroundTerminal: boolean,
  { hooks, handing }: { hooks: CreateHooks | undefined; handing: Handing | undefined },
) {
  const [ours, theirs] = foregroundTerminal
    ? socketPair()
    : [
        undefined,
        options.consoleSocket === undefined ? new Descriptor(-1) : connectUnix(options.consoleSocket),
      ];
  using console = theirs;
  using receiving = ours;
  const launched = launch(plan, {
    log: options.log,
    gate: { kind: "socket" },
    console: console.fd,
    filters: () => compileFilters(plan, options),
    config: bytes,
    draft: () => draftRecord(plan),
    hooks: hooks?.beforeSwitch,
    directory,
    handOver: handing?.theirs ?? null,
  });
  handing?.begun();
  return { launched, master: receiving && receiveDescriptor(receiving.fd) };
}

/** End of file on the sync socket is the execution of the process. */
function letGo(plan: Plan, launched: Launched, handOver: (() => void) | undefined): void {
  sendGo(launched.sync.fd);
  handOver?.();
  const message = receive(launched.sync.fd);
  launched.sync.close();
  endStage("start");
  if (message.kind !== "failure") return;
  const { explainStep } = require("./explain-step.ts") as typeof import("./explain-step.ts");
  const args0 = plan.execution.kind === "execute" ? (plan.execution.args[0] ?? "") : "";
  throw explainStep(launched.image, message.step, message.errno, args0);
}

/** Removes what there is of a container whose process has ended, and runs its poststop hooks. */
export function cleanUp(
  options: ContainerOptions,
  launched: Pick<Launched, "cgroup">,
  record: StateRecord,
): void {
  try {
    using directory = openContainer(options.root, options.id);
    const { pid, processStartTime } = load(options.root, options.id, directory);
    // Who has deleted the container meanwhile may have made another one of its name, as restore does after checkpoint.
    if (pid !== record.pid || processStartTime !== record.processStartTime) return;
    if (launched.cgroup) destroyCgroup(launched.cgroup);
    if (record.intelRdt) {
      const { leaveIntelRdt } =
        require("../linux/intel-rdt/groups.ts") as typeof import("../linux/intel-rdt/groups.ts");
      leaveIntelRdt(record.intelRdt as IntelRdtRecord);
    }
    remove(options.root, options.id, directory);
  } catch (error) {
    // Somebody else has deleted the container meanwhile, and run its hooks.
    if (!(error instanceof StateError) || error.problem !== "missing") throw error;
    return;
  }
  if (record.hooks) loadHooks().runPoststopHooks(record, options.log);
}

/** Throws SpecError when the terminal that config.json asks for has nowhere to go, or the other way round. */
export function checkConsole(
  plan: Pick<Plan, "terminal" | "execution">,
  options: Pick<RunOptions, "detach" | "consoleSocket">,
): void {
  const wanted = plan.terminal.kind === "new";
  if (wanted && options.detach && options.consoleSocket === undefined) {
    throw new SpecError(
      "process.terminal",
      "is true: with --detach, --console-socket must name the socket that takes the terminal",
    );
  }
  if (wanted && options.consoleSocket === undefined && !isTerminal(0)) {
    throw new SpecError(
      "process.terminal",
      "is true, but standard input is no terminal: run bunc in one, pass --console-socket, or set it to false",
    );
  }
  if (!wanted && options.consoleSocket !== undefined) {
    throw new SpecError(
      "process.terminal",
      "is not true, so --console-socket would get nothing: leave it out",
    );
  }
  if (plan.execution.kind === "none") throw new SpecError("process", "is missing: there is nothing to run");
}
