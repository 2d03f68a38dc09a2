// The programs that change the mounts of a container that is there already.
import { AT, O } from "../../ffi/constants/file.ts";
import { MS } from "../../ffi/constants/mount.ts";
import { PR } from "../../ffi/constants/process.ts";
import { newProgram, type Program } from "../../ffi/program/program.ts";
import { recordBecomeRoot } from "../linux/idmap/record.ts";
import { recordEarlySource, recordMount } from "../linux/mounts/record.ts";
import { silentTalk } from "../linux/mounts/talk.ts";
import { type MountPoint, recordUnmount } from "../linux/mounts/unmount.ts";
import { recordJoinProcess } from "../linux/namespaces/record.ts";
import type { LaterMountPlan } from "../plan/resolve-mounts.ts";

/** What the program inherits: a pidfd of init, init's root directory, and where it reports. */
export const mountsDescriptors = { init: 3, root: 4, report: 5 } as const;

type Joins = Pick<LaterMountPlan, "joins" | "joinsUser">;

/**
 * Records: opens what is to be mounted where the caller sees it, enters the container's mounts, and attaches it there. The
 * process is in no pid namespace of the container's: nobody in there can look into it.
 */
export function recordAddMounts(plan: LaterMountPlan): Program {
  const program = begin();
  const trees = plan.mounts.map((mount) => recordEarlySource(program, mount, MS.PRIVATE));
  recordEnter(program, plan);
  const root = program.openat(AT.FDCWD, "/", O.PATH | O.DIRECTORY | O.CLOEXEC, 0);
  plan.mounts.forEach((mount, index) => {
    // What would have to be answered, resolveLaterMounts has refused.
    recordMount(program, root, mount, silentTalk, trees[index]);
  });
  program.exit_group(0);
  return program;
}

/**
 * Records: enters the container's mounts and takes mounts off.
 * @param which "if there" to pass over what cannot be unmounted
 */
export function recordRemoveMounts(
  joins: Joins,
  points: readonly MountPoint[],
  which: "surely" | "if there" = "surely",
): Program {
  const program = begin();
  recordEnter(program, joins);
  const root = program.openat(AT.FDCWD, "/", O.PATH | O.DIRECTORY | O.CLOEXEC, 0);
  for (const point of points) recordUnmount(program, root, point, which);
  program.exit_group(0);
  return program;
}

function begin(): Program {
  const { report } = mountsDescriptors;
  const program = newProgram({ report });
  program.because("file descriptors");
  program.close_range(report + 1, 0xffff_ffff, 0);
  program.because("mounts");
  program.prctl(PR.SET_DUMPABLE, 0, 0, 0, 0);
  return program;
}

function recordEnter(program: Program, { joins, joinsUser }: Joins): void {
  recordJoinProcess(program, mountsDescriptors, joins, "mounts", () => {
    if (joinsUser) recordBecomeRoot(program, { kind: "none" }, true);
  });
}
