// The program of a process that `exec` adds to a container.
import { CLONE, PR } from "../../ffi/constants/process.ts";
import { newProgram, type Program, type Register } from "../../ffi/program/program.ts";
import { CLONE_ARGS_SIZE, cloneArgs } from "../../ffi/structs/clone-args.ts";
import { type CgroupRecord, isUsers } from "../linux/cgroups/cgroup-record.ts";
import { recordEnterCgroup, recordMoveToCgroup } from "../linux/cgroups/record.ts";
import { recordKeyring, recordOwnStreams } from "../linux/credentials/record.ts";
import {
  recordCloseOnExec,
  recordEnterCwd,
  recordExecute,
  recordFindExecutable,
} from "../linux/execution/record.ts";
import { recordBecomeRoot } from "../linux/idmap/record.ts";
import { recordJoinProcess } from "../linux/namespaces/record.ts";
import { recordOomScore } from "../linux/oom/record.ts";
import { recordControl, recordPseudoterminal } from "../linux/terminal/record.ts";
import type { ExecPlan } from "../plan/resolve-exec.ts";
import { type Filters, recordConfinement } from "./confinement.ts";
import { loadSeldom } from "./load-seldom.ts";
import { recordAwait, recordTell, recordTellPid } from "./sync.ts";

/** What the program inherits, by number; the first of them is the first after those that are preserved. */
export interface ExecDescriptors {
  /** A pidfd of init. */
  readonly init: number;
  /** Init's root directory. */
  readonly root: number;
  readonly sync: number;
  /** A connected socket for the terminal's master; -1 without a terminal. */
  readonly console: number;
  /** The cgroup of version 2 to be born into; -1 where there is none, or the first process moves there. */
  readonly cgroup: number;
  /** A connected socket that the listener of a filter is handed over by; -1 when no filter has one. */
  readonly handOver: number;
}

/** The descriptors' numbers: after the preserved ones, without gaps. */
export function execDescriptors(
  preserveFds: number,
  wanted: { readonly console: boolean; readonly cgroup: boolean; readonly handOver: boolean },
): ExecDescriptors {
  let next = 3 + preserveFds;
  return {
    init: next++,
    root: next++,
    sync: next++,
    console: wanted.console ? next++ : -1,
    cgroup: wanted.cgroup ? next++ : -1,
    handOver: wanted.handOver ? next++ : -1,
  };
}

/**
 * Records the program. Whoever is in the container, with whatever powers, may look into every process that it can see
 * (CVE-2016-9962): so all that is the caller's is left behind by processes outside, and only the one that is cloned last
 * is in the container's pid namespace. By then it holds nothing but the streams, the terminal and the talk with bunc.
 * @param cgroup whose hierarchies are entered, of version 2 only where nobody is born into it, or into which systemd moves the first process; null for none
 */
export function recordExec(
  plan: ExecPlan,
  descriptors: ExecDescriptors,
  cgroup: CgroupRecord | null,
  filters: Filters,
): Program {
  const program = newProgram({ report: descriptors.sync });
  program.because("file descriptors");
  program.close_range(Math.max(...Object.values(descriptors)) + 1, 0xffff_ffff, 0);
  if (plan.affinity) loadScheduling().recordInitialAffinity(program, plan.affinity);
  if (plan.seldom) loadSeldom().recordLabels(program, plan.seldom, plan.credentials);
  recordOomScore(program, plan.oomScoreAdj);
  if (cgroup) recordGo(program, cgroup, descriptors);
  program.because("exec");
  program.prctl(PR.SET_DUMPABLE, 0, 0, 0, 0);
  if (descriptors.cgroup >= 0) recordRebirth(program, descriptors);
  const terminal = recordJoin(program, plan, descriptors);
  recordClone(program, descriptors.sync);
  recordProcess(program, plan, descriptors, terminal, filters);
  return program;
}

function recordGo(program: Program, cgroup: CgroupRecord, { sync, cgroup: born }: ExecDescriptors): void {
  if (isUsers(cgroup)) {
    program.because("linux.cgroupsPath");
    recordAwait(program, sync);
    return;
  }
  recordEnterCgroup(program, cgroup);
  if (born < 0) recordMoveToCgroup(program, cgroup);
}

/**
 * A process that is born into a cgroup of version 2 need not be moved, for which the kernel stops all forking. It has to
 * be done before the container's namespace of cgroups is joined, which lets nobody in from outside.
 */
function recordRebirth(program: Program, { sync, cgroup }: ExecDescriptors): void {
  program.because("linux.cgroupsPath");
  const child = program.label("joiner");
  const parent = program.label("first process");
  const args = cloneArgs({ flags: CLONE.PARENT, exitSignal: 0, cgroup });
  program.clone3(program.data(args), CLONE_ARGS_SIZE).ifNonZero(parent);
  program.jump(child);
  program.place(parent);
  program.exit_group(0);
  program.place(child);
  program.close(cgroup);
  // It tells the number itself: from its parent the news could come too late.
  const pid = program.register("joiner");
  program.getpid().into(pid);
  recordTellPid(program, sync, pid);
}

/** Returns the terminal, if any. */
function recordJoin(
  program: Program,
  { joins, joinsUser, terminal }: ExecPlan,
  { init, root: rootNumber, console }: ExecDescriptors,
): Register | undefined {
  const root = program.register("root", rootNumber);
  recordJoinProcess(program, { init, root }, joins, "exec", () => {
    if (joinsUser) recordBecomeRoot(program, { kind: "none" }, true);
  });
  const peer = terminal.kind === "new" ? recordPseudoterminal(program, root, terminal, console) : undefined;
  program.because("file descriptors");
  program.close(init);
  program.close(root);
  return peer;
}

/** Only children are in a pid namespace that was joined. This one is bunc's, and later that of whoever called bunc. */
function recordClone(program: Program, sync: number): void {
  program.because("exec");
  const pid = program.register("process");
  const parent = program.label("joiner's end");
  const child = program.label("process");
  // CLONE_PARENT takes the exit signal from the parent's own (SIGCHLD) and allows no other.
  const args = cloneArgs({ flags: CLONE.PARENT, exitSignal: 0 });
  program.clone3(program.data(args, "{CLONE_PARENT}"), CLONE_ARGS_SIZE).into(pid).ifNonZero(parent);
  program.jump(child);
  program.place(parent);
  recordTellPid(program, sync, pid);
  program.exit_group(0);
  program.place(child);
}

function recordProcess(
  program: Program,
  plan: ExecPlan,
  { sync, handOver }: ExecDescriptors,
  terminal: Register | undefined,
  filters: Filters,
): void {
  const { execution, credentials } = plan;
  program.because("exec");
  // A session of its own: signals of the caller's terminal go to the caller.
  program.setsid();
  if (terminal) recordControl(program, terminal);
  else recordOwnStreams(program, credentials);
  const cwdLater = recordEnterCwd(program, execution);
  const executable = recordFindExecutable(program, execution);
  recordKeyring(program, credentials);
  recordCloseOnExec(program, plan.preserveFds);
  if (plan.affinity) loadScheduling().recordFinalAffinity(program, plan.affinity);
  program.because("exec");
  recordTell(program, sync, "ready");
  // Limits are set by bunc, from outside.
  recordAwait(program, sync);
  const handing = handOver < 0 ? null : ({ kind: "connected", fd: handOver } as const);
  recordConfinement(program, plan, { execution, cwdLater, handOver: handing }, filters);
  recordExecute(program, execution, executable);
}

function loadScheduling() {
  return require("../linux/scheduling/record.ts") as typeof import("../linux/scheduling/record.ts");
}
