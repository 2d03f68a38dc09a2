// The program that becomes criu to restore a container: it enters the container's cgroups, and prepares the root where
// nobody else sees it.
import { AT, F, FD_CLOEXEC } from "../../ffi/constants/file.ts";
import { MNT, MOVE_MOUNT, MS, OPEN_TREE } from "../../ffi/constants/mount.ts";
import { CLONE } from "../../ffi/constants/process.ts";
import { newProgram, type Program, type Register } from "../../ffi/program/program.ts";
import type { CgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { recordMakeMountPoint, recordMount } from "../linux/mounts/record.ts";
import { silentTalk } from "../linux/mounts/talk.ts";
import type { Plan } from "../plan/types.ts";
import { recordGoToCgroup } from "./go-to-cgroup.ts";

/** What the program is made of, beside the plan. */
export interface RestoreProgram {
  /** Descriptor that a failed step is reported on; closed when criu is executed. */
  readonly report: number;
  /** Further descriptors that criu keeps, under their numbers. */
  readonly keep: readonly number[];
  readonly cgroup: CgroupRecord | null;
  /** Where criu is to find the root: an empty directory, absolute. */
  readonly root: string;
  /** Absolute. */
  readonly criu: string;
  /** With the program's name. */
  readonly args: readonly string[];
  readonly env: readonly string[];
}

/** Records the program. */
export function recordRestore(
  plan: Pick<Plan, "namespaces" | "rootfs" | "mounts">,
  wanted: RestoreProgram,
): Program {
  const program = newProgram({ report: wanted.report });
  recordCloseOthers(program, wanted);
  // What criu restores is born there.
  if (wanted.cgroup) recordGoToCgroup(program, wanted.cgroup, wanted.report, false);
  // The container's mount namespace is made from criu's. Without one of its own, it is to live in the caller's.
  if (plan.namespaces.mount.kind === "new") recordRoot(program, plan, wanted.root);
  program.because("criu");
  program.execve(wanted.criu, program.vector(wanted.args), program.vector(wanted.env));
  return program;
}

function recordCloseOthers(program: Program, { report, keep }: RestoreProgram): void {
  program.because("file descriptors");
  let first = 3;
  for (const fd of [report, ...keep].sort((a, b) => a - b)) {
    if (fd > first) program.close_range(first, fd - 1, 0);
    first = fd + 1;
  }
  program.close_range(first, 0xffff_ffff, 0);
  program.fcntl(report, F.SETFD, FD_CLOEXEC);
}

/**
 * The root as criu wants it, a mount of its own, with every mount point that there must be. Those within a bind mount can
 * be made only while it is mounted; criu mounts it itself, so the tree is thrown away with them.
 */
function recordRoot(program: Program, plan: Pick<Plan, "rootfs" | "mounts">, place: string): void {
  program.because("root.path");
  program.unshare(CLONE.NEWNS);
  // Nothing of this reaches the caller's mounts, and nothing of it is left when criu has ended.
  program.mount(null, "/", null, MS.REC | MS.SLAVE, null);
  const prepared = recordTree(program, plan.rootfs.path, place);
  for (const [index, mount] of plan.mounts.entries()) {
    if (isRestoredWithContent(plan.mounts, index)) continue;
    if (mount.source.kind === "bind") recordMount(program, prepared, mount, silentTalk);
    else if (mount.source.kind === "filesystem" || mount.source.kind === "legacy")
      recordMakeMountPoint(program, prepared, mount);
  }
  program.because("root.path");
  program.close(prepared);
  program.umount2(place, MNT.DETACH);
  program.close(recordTree(program, plan.rootfs.path, place));
}

function recordTree(program: Program, source: string, place: string): Register {
  const tree = program.register("root");
  const flags = OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | OPEN_TREE.RECURSIVE;
  program.open_tree(AT.FDCWD, source, flags).into(tree);
  program.move_mount(tree, "", AT.FDCWD, place, MOVE_MOUNT.F_EMPTY_PATH);
  return tree;
}

/** Whether the mount point lies in a file system that is the container's own: criu brings it back with all that is in it. */
function isRestoredWithContent(mounts: Plan["mounts"], index: number): boolean {
  const target = mounts[index]?.target ?? "";
  let inside = false;
  let longest = 0;
  for (const { target: above, source } of mounts.slice(0, index)) {
    if (!target.startsWith(`${above}/`) || above.length < longest) continue;
    longest = above.length;
    inside = source.kind !== "bind";
  }
  return inside;
}
