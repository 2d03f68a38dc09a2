// The program of a container's first processes, in the order of its steps. Each room records its own part.
import { O } from "../../ffi/constants/file.ts";
import { CLONE, PR } from "../../ffi/constants/process.ts";
import { newProgram, type Program, type Register } from "../../ffi/program/program.ts";
import { CLONE_ARGS_SIZE, cloneArgs } from "../../ffi/structs/clone-args.ts";
import { recordKeyring, recordOwnStreams } from "../linux/credentials/record.ts";
import { recordDevices } from "../linux/devices/record.ts";
import {
  recordCloseOnExec,
  recordEnterCwd,
  recordExecute,
  recordFindExecutable,
  recordMakeCwd,
} from "../linux/execution/record.ts";
import { hasCreateHooks } from "../linux/hooks/plan.ts";
import { recordNames } from "../linux/hostname/record.ts";
import { recordBecomeRoot } from "../linux/idmap/record.ts";
import { recordMasks } from "../linux/masks/record.ts";
import type { PlannedMount } from "../linux/mounts/plan.ts";
import { recordEarlySource, recordMount } from "../linux/mounts/record.ts";
import type { MountTalk } from "../linux/mounts/talk.ts";
import { cloneFlags } from "../linux/namespaces/plan.ts";
import { recordJoins, recordOwnNamespaces, recordTimeNamespace } from "../linux/namespaces/record.ts";
import { recordLoopback } from "../linux/network/record.ts";
import { recordOomScore } from "../linux/oom/record.ts";
import { recordRlimits } from "../linux/rlimits/record.ts";
import { recordAptConfig } from "../linux/root-emulation/record.ts";
import { recordEarlyRoot, recordReadonlyRoot, recordRoot, recordSwitchRoot } from "../linux/rootfs/record.ts";
import { recordSysctl } from "../linux/sysctl/record.ts";
import { recordControl, recordTerminal } from "../linux/terminal/record.ts";
import type { Plan } from "../plan/types.ts";
import { recordAwaitHooks, recordLetIn } from "./await-hooks.ts";
import { recordConfinement } from "./confinement.ts";
import { recordGoToCgroup } from "./go-to-cgroup.ts";
import { type Inherited, inheritedNumbers } from "./inherited.ts";
import { loadSeldom } from "./load-seldom.ts";
import { recordAskCopy, recordAwait, recordTell, recordTellInstead, recordTellPid } from "./sync.ts";

/** Records the program of a container. */
export function recordContainer(plan: Plan, inherited: Inherited): Program {
  const program = newProgram({ report: inherited.sync });
  const early = recordFirstProcess(program, plan, inherited);
  const surroundings = recordSurroundings(program, plan, inherited, early);
  recordProcess(program, plan, inherited, surroundings);
  return program;
}

/** Trees that were opened with the caller's eyes. */
interface EarlyTrees {
  readonly root: Register | undefined;
  /** Each gives the tree of one mount, when its steps are recorded. */
  readonly mounts: readonly (() => Register | undefined)[];
}

/** A program has 255 registers, of which the trees of its mounts may take so many at once. */
const mostInRegisters = 100;

/** Of more trees than registers each is put at a number that is known beforehand, above all that may be open. */
function recordEarlyTrees(
  program: Program,
  { mounts, rootfs, preserveFds }: Plan,
  inherited: Inherited,
): EarlyTrees["mounts"] {
  const { trees } = inherited;
  const at = (mount: PlannedMount, fd: number) => () => {
    const tree = program.register(`tree of ${mount.origin}`);
    program.set(fd).into(tree);
    return tree;
  };
  const parks = mounts.length > mostInRegisters;
  let next = parks ? Math.max(2 + preserveFds, ...inheritedNumbers(inherited)) + 8 : 0;
  const open = (mount: PlannedMount, index: number) => {
    const given = trees.get(index);
    if (given !== undefined) return at(mount, given);
    const tree = recordEarlySource(program, mount, rootfs.propagation);
    if (!tree || !parks) return () => tree;
    program.dup3(tree, next, O.CLOEXEC);
    program.close(tree);
    return at(mount, next++);
  };
  const early: (() => Register | undefined)[] = [];
  for (let index = 0; index < mounts.length; index++) early.push(open(mounts[index] as PlannedMount, index));
  return early;
}

/** The process that bunc spawns: it goes where init is to be cloned, and ends when it has cloned it. */
function recordFirstProcess(program: Program, plan: Plan, inherited: Inherited): EarlyTrees {
  // What a caller leaked must not live on in the container: an open write end of its stdin would keep it waiting.
  recordCloseOthers(program, plan, inherited);
  if (plan.seldom) loadSeldom().recordLabels(program, plan.seldom, plan.credentials);
  // While this process's files in /proc belong to its user.
  recordOomScore(program, plan.oomScoreAdj);
  const { cgroup, cgroupDirectory } = inherited;
  if (cgroup) recordGoToCgroup(program, cgroup, inherited.sync, cgroupDirectory >= 0);
  // Nobody in a joined namespace may look into this process (CVE-2016-9962). While bunc has maps to write, the process's
  // files in /proc must still belong to bunc's user, so init does it then.
  if (plan.idmap.kind === "none") recordNotDumpable(program);
  recordRlimits(program, plan.setUpLimits.during);
  const root = recordEarlyRoot(program, plan.rootfs);
  const mounts = recordEarlyTrees(program, plan, inherited);
  recordJoins(program, inherited.namespaces);
  recordClone(program, plan, inherited);
  return { root, mounts };
}

function recordCloseOthers(program: Program, plan: Plan, inherited: Inherited): void {
  program.because("file descriptors");
  let first = 3 + plan.preserveFds;
  for (const fd of inheritedNumbers(inherited).sort((a, b) => a - b)) {
    if (fd > first) program.close_range(first, fd - 1, 0);
    first = fd + 1;
  }
  program.close_range(first, 0xffff_ffff, 0);
}

function recordNotDumpable(program: Program): void {
  program.because("init");
  program.prctl(PR.SET_DUMPABLE, 0, 0, 0, 0);
}

/** Init is cloned as a child of bunc, not of this process, so that whoever called bunc inherits it and can wait for it. */
function recordClone(program: Program, plan: Plan, inherited: Inherited): void {
  program.because("linux.namespaces");
  const pid = program.register("init");
  const parent = program.label("first process");
  const child = program.label("init");
  // CLONE_PARENT takes the exit signal from the parent's own (SIGCHLD) and allows no other.
  const flags = CLONE.PARENT + cloneFlags(plan.namespaces);
  const { cgroupDirectory } = inherited;
  const args = cloneArgs({
    flags,
    exitSignal: 0,
    ...(cgroupDirectory < 0 ? {} : { cgroup: cgroupDirectory }),
  });
  program.clone3(program.data(args), CLONE_ARGS_SIZE).into(pid).ifNonZero(parent);
  program.jump(child);
  program.place(parent);
  recordTellPid(program, inherited.sync, pid);
  program.exit_group(0);
  program.place(child);
}

/** What led here must not lead out again: no directory of the caller's stays open in init (CVE-2024-21626). */
function recordDropDirectories(program: Program, { cgroupDirectory, namespaces }: Inherited): void {
  program.because("file descriptors");
  if (cgroupDirectory >= 0) program.close(cgroupDirectory);
  for (const { descriptor } of namespaces) program.close(descriptor.fd);
}

/**
 * Whether init waits for what only the caller can give it: id maps, and network devices. Also where the caller is to copy
 * files: it must have heard of init before.
 */
export function awaitsOutfit({ idmap, netDevices, mounts }: Plan): boolean {
  if (idmap.kind !== "none" || netDevices.length > 0) return true;
  for (const { source } of mounts) if ("copyUp" in source && source.copyUp) return true;
  return false;
}

/** Everything around the process: namespaces' content, files, terminal. Returns the terminal's register, if any. */
function recordSurroundings(
  program: Program,
  plan: Plan,
  inherited: Inherited,
  early: EarlyTrees,
): Surroundings {
  recordDropDirectories(program, inherited);
  program.because("init");
  program.prctl(PR.SET_NAME, "bunc:[init]", 0, 0, 0);
  // A session of its own: signals of the caller's terminal go to the caller.
  program.setsid();
  // Modes are what config.json says, whatever mask the caller had.
  program.umask(0);
  recordTimeNamespace(program, plan.namespaces, plan.timeOffsets);
  if (awaitsOutfit(plan)) recordAwait(program, inherited.sync);
  if (plan.idmap.kind !== "none") recordNotDumpable(program);
  recordBecomeRoot(program, plan.idmap, plan.namespaces.user.kind === "join");
  // Its root becomes the cgroup that init is in.
  recordOwnNamespaces(program, plan.namespaces);
  if (plan.namespaces.network.kind === "new") recordLoopback(program);
  recordNames(program, plan.names);
  const root = recordRoot(program, plan.rootfs, early.root, hasCreateHooks(plan.hooks));
  for (let index = 0; index < plan.mounts.length; index++) {
    const talk: MountTalk = {
      instead: () => recordTellInstead(program, inherited.sync),
      copyUp: (from, to) => recordAskCopy(program, inherited.sync, index, from, to),
    };
    recordMount(program, root, plan.mounts[index] as PlannedMount, talk, early.mounts[index]?.());
  }
  recordRlimits(program, plan.setUpLimits.after);
  recordDevices(program, root, plan.devices);
  recordAptConfig(program, root, plan.rootEmulation);
  const terminal =
    plan.terminal.kind === "new"
      ? recordTerminal(program, root, plan.terminal, inherited.console)
      : undefined;
  if (plan.execution.kind === "execute") recordMakeCwd(program, root, plan.execution);
  // Before sysctls: a hook may make the network interface that they are about.
  if (hasCreateHooks(plan.hooks)) recordAwaitHooks(program, plan.namespaces, inherited.sync);
  // Before the masks: /proc/sys is read-only afterwards.
  recordSysctl(program, root, plan.sysctl);
  recordMasks(program, root, plan.masks);
  // Nothing has to be made in the root any more.
  recordReadonlyRoot(program, root, plan.rootfs);
  recordSwitchRoot(program, root, plan.rootfs);
  program.close(root);
  return { terminal };
}

interface Surroundings {
  readonly terminal: Register | undefined;
}

/** The wait for `start`, and then the process itself. */
function recordProcess(program: Program, plan: Plan, inherited: Inherited, { terminal }: Surroundings): void {
  const { execution, credentials } = plan;
  if (terminal) recordControl(program, terminal);
  else recordOwnStreams(program, credentials);
  if (execution.kind === "none") {
    recordGate(program, inherited);
    program.because("process");
    program.exit_group(1);
    return;
  }
  const cwdLater = recordEnterCwd(program, execution);
  // A missing executable fails `create` already.
  const executable = recordFindExecutable(program, execution);
  recordKeyring(program, credentials);
  // Before any filter of system calls: one that does not know close_range(2) must not matter.
  recordCloseOnExec(program, plan.preserveFds);
  if (plan.hooks && plan.hooks.startContainer.length > 0) recordLetIn(program, plan.namespaces);
  recordGate(program, inherited);
  const { handOver, filters } = inherited;
  recordConfinement(program, plan, { execution, cwdLater, handOver }, filters);
  recordExecute(program, execution, executable);
}

/** Steps of recordAwait: those that stay in memory while init waits. */
const stepsAtGate = 2;

function recordGate(program: Program, { sync, gate }: Inherited): void {
  program.because("start");
  recordTell(program, sync, "ready");
  // Until the state is written nobody else knows of this process: it must not outlive bunc.
  recordAwait(program, sync);
  if (gate.kind === "socket") return;
  program.close(sync);
  program.set(gate.result).into(program.report);
  // A container may wait for long: what was needed until now is given back.
  program.forget(stepsAtGate);
  recordAwait(program, gate.start);
}
