import { ERRNO } from "../../../ffi/constants/errno.ts";
import { O, RESOLVE } from "../../../ffi/constants/file.ts";
import { MNT } from "../../../ffi/constants/mount.ts";
import type { Program } from "../../../ffi/program/program.ts";
import { type Handle, recordOpenInRoot, splitPath } from "../in-root.ts";

/** What is to be unmounted. */
export interface MountPoint {
  /** JSON path of the entry. */
  readonly origin: string;
  /** Absolute path in the container; not its root. */
  readonly target: string;
}

/**
 * Records: takes the topmost mount off a mount point. No link on the way is followed: it would be the container's choice
 * which of its mounts goes, and one of them may hide something. umount2(2).
 * @param which "if there" to pass over what cannot be unmounted
 */
export function recordUnmount(
  program: Program,
  root: Handle,
  { origin, target }: MountPoint,
  which: "surely" | "if there",
): void {
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
