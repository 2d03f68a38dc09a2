// The program of one hook inside the container: it joins init, makes the hook's process, and becomes it.
import { CLONE, CLOSE_RANGE, PR } from "../../ffi/constants/process.ts";
import { compile } from "../../ffi/program/image.ts";
import { newProgram, type Program } from "../../ffi/program/program.ts";
import { CLONE_ARGS_SIZE, cloneArgs } from "../../ffi/structs/clone-args.ts";
import { type CgroupRecord, isUsers } from "../linux/cgroups/cgroup-record.ts";
import { recordEnterCgroup, recordMoveToCgroup } from "../linux/cgroups/record.ts";
import { recordKeyring } from "../linux/credentials/record.ts";
import { recordEnterCwd } from "../linux/execution/record.ts";
import type { PlannedHook } from "../linux/hooks/plan.ts";
import { hookDescriptors, recordExecuteHook } from "../linux/hooks/record.ts";
import { recordBecomeRoot } from "../linux/idmap/record.ts";
import { namespaceFlags, namespaceNames, type PlannedNamespaces } from "../linux/namespaces/plan.ts";
import { recordJoinProcess } from "../linux/namespaces/record.ts";
import { recordOomScore } from "../linux/oom/record.ts";
import { recordRlimits } from "../linux/rlimits/record.ts";
import type { Plan } from "../plan/types.ts";
import { type Filters, recordConfinement } from "./confinement.ts";
import { loadSeldom } from "./load-seldom.ts";
import { recordTellPid } from "./sync.ts";

/**
 * The image of a createContainer hook: the container's root, with all its powers, in the container's namespaces, by
 * the paths of the runtime.
 */
export function compileCreateContainer(
  plan: Plan,
  hook: PlannedHook,
  cgroup: CgroupRecord | null,
): Uint8Array {
  const program = recordBeginning(plan, cgroup);
  recordHookProcess(program, plan);
  program.because(hook.origin);
  // Where runc starts it. The path may not be visible to the container's root.
  program.chdir(plan.rootfs.path).ignore();
  recordExecuteHook(program, hook);
  return compile(program);
}

/**
 * The image of a startContainer hook. Its executable is the image's, which nobody vouches for: it may do what the
 * container's process may, and no more. runc runs it so, too.
 */
export function compileStartContainer(
  plan: Plan,
  hook: PlannedHook,
  cgroup: CgroupRecord | null,
  filters: Filters,
): Uint8Array {
  const { execution, credentials } = plan;
  const program = recordBeginning(plan, cgroup);
  if (plan.seldom) loadSeldom().recordLabels(program, plan.seldom, credentials);
  recordRlimits(program, plan.rlimits);
  recordHookProcess(program, plan);
  if (execution.kind === "execute") {
    const cwdLater = recordEnterCwd(program, execution);
    recordKeyring(program, credentials);
    recordConfinement(program, plan, { execution, cwdLater, handOver: null }, filters);
  }
  recordExecuteHook(program, hook);
  return compile(program);
}

/** Outside still: what needs the caller's view of the machine. */
function recordBeginning(plan: Plan, cgroup: CgroupRecord | null): Program {
  const { report } = hookDescriptors;
  const program = newProgram({ report });
  program.because("file descriptors");
  program.close_range(report + 1, 0xffff_ffff, 0);
  program.close_range(3, report, CLOSE_RANGE.CLOEXEC);
  recordOomScore(program, plan.oomScoreAdj);
  // Where only systemd could move it, a hook stays with its caller.
  if (cgroup && !isUsers(cgroup)) {
    recordEnterCgroup(program, cgroup);
    recordMoveToCgroup(program, cgroup);
  }
  return program;
}

/**
 * Joins init, and makes the hook's process: only children are in a pid namespace that was joined. It is a child of
 * bunc, which waits for it and can kill it.
 */
function recordHookProcess(program: Program, plan: Plan): void {
  program.because("hooks");
  // The caller's terminal is none of the container's: it must not be the hook's /dev/tty.
  program.setsid();
  // Who is in the container already may not look into this process (CVE-2016-9962).
  program.prctl(PR.SET_DUMPABLE, 0, 0, 0, 0);
  recordJoinProcess(program, hookDescriptors, joinFlags(plan.namespaces), "hooks", () =>
    recordBecomeRoot(program, plan.idmap, plan.namespaces.user.kind === "join"),
  );
  const pid = program.register("hook");
  const parent = program.label("hook's parent");
  const child = program.label("hook");
  // CLONE_PARENT takes the exit signal from the parent's own (SIGCHLD) and allows no other.
  const args = cloneArgs({ flags: CLONE.PARENT, exitSignal: 0 });
  program.clone3(program.data(args, "{CLONE_PARENT}"), CLONE_ARGS_SIZE).into(pid).ifNonZero(parent);
  program.jump(child);
  program.place(parent);
  recordTellPid(program, hookDescriptors.report, pid);
  program.exit_group(0);
  program.place(child);
}

/** The namespaces that are not the caller's own. */
function joinFlags(namespaces: PlannedNamespaces): number {
  let flags = 0;
  for (const name of namespaceNames) {
    if (namespaces[name].kind !== "inherit") flags += namespaceFlags[name];
  }
  return flags;
}
