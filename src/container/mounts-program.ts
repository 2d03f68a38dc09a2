// The programs that change the mounts of a container that is there already.
import { ERRNO } from "../../ffi/constants/errno.ts";
import { AT, O, RESOLVE } from "../../ffi/constants/file.ts";
import { MNT, MS } from "../../ffi/constants/mount.ts";
import { PR } from "../../ffi/constants/process.ts";
import { newProgram, type Program } from "../../ffi/program/program.ts";
import { recordBecomeRoot } from "../linux/idmap/record.ts";
import { recordOpenInRoot, splitPath } from "../linux/in-root.ts";
import { recordEarlySource, recordMount } from "../linux/mounts/record.ts";
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
    recordMount(program, root, mount, () => {}, trees[index]);
  });
  program.exit_group(0);
  return program;
}

/** What is to be unmounted. */
export interface MountPoint {
  /** JSON path of the entry. */
  readonly origin: string;
  /** Absolute path in the container. */
  readonly target: string;
}

/**
 * Records: enters the container's mounts and takes the topmost off each mount point. No link on the way is followed: it
 * would be the container's choice which of its mounts goes, and one of them may hide something.
 * @param which "if there" to pass over what cannot be unmounted
 */
export function recordRemoveMounts(
  joins: Joins,
  points: readonly MountPoint[],
  which: "all" | "if there" = "all",
): Program {
  const program = begin();
  recordEnter(program, joins);
  const root = program.openat(AT.FDCWD, "/", O.PATH | O.DIRECTORY | O.CLOEXEC, 0);
  for (const { origin, target } of points) {
    program.because(`${origin}.destination`);
    const names = splitPath(target);
    const name = names.pop() ?? ".";
    const directory = `/${names.join("/")}`;
    const parent = recordOpenInRoot(program, root, directory, O.PATH | O.DIRECTORY, RESOLVE.NO_SYMLINKS);
    const next = program.label(`after ${origin}`);
    if (which === "if there") parent.orJump(next, ERRNO.ENOENT, ERRNO.ENOTDIR, ERRNO.ELOOP);
    program.fchdir(parent);
    const unmounted = program.umount2(name, MNT.DETACH | MNT.UMOUNT_NOFOLLOW);
    if (which === "if there") unmounted.ignore(ERRNO.EINVAL, ERRNO.ENOENT);
    program.close(parent);
    program.place(next);
  }
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
