import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT } from "../../../ffi/constants/file.ts";
import { MOUNT_ATTR } from "../../../ffi/constants/mount.ts";
import type { Program } from "../../../ffi/program/program.ts";
import { MOUNT_ATTR_SIZE, mountAttr } from "../../../ffi/structs/mount-attr.ts";
import type { Handle } from "../in-root.ts";
import type { Attributes, PlannedMount } from "./plan.ts";

/** Gives a tree the attributes of its mount: those for all that is beneath first, then its own. */
export function recordAttributes(
  program: Program,
  tree: Handle,
  mount: PlannedMount,
  kind: "bind" | "filesystem",
): void {
  setAttributes(program, tree, mount.recursiveAttributes, true);
  // fsmount(2) set them already; clearing is for what a bind mount inherits.
  if (kind === "bind") setAttributes(program, tree, mount.attributes, false);
}

/**
 * mount_setattr(2). A mount that came from a more privileged namespace keeps its restrictions: clearing one is then
 * refused with EPERM, and leaving it is the safe meaning of options such as `rw` or `suid`.
 */
export function setAttributes(
  program: Program,
  tree: Handle,
  { set, clear }: Attributes,
  recursive: boolean,
): void {
  const flags = AT.EMPTY_PATH | (recursive ? AT.RECURSIVE : 0);
  if (set !== 0) {
    // An access time can only be set while its field is cleared.
    const field = (set & MOUNT_ATTR._ATIME) !== 0 ? MOUNT_ATTR._ATIME : 0;
    program.mount_setattr(tree, "", flags, mountAttr({ set, clear: field }), MOUNT_ATTR_SIZE);
  }
  const rest = clear & ~set & ((set & MOUNT_ATTR._ATIME) !== 0 ? ~MOUNT_ATTR._ATIME : -1);
  if (rest !== 0) {
    program
      .mount_setattr(tree, "", flags, mountAttr({ set: 0, clear: rest }), MOUNT_ATTR_SIZE)
      .ignore(ERRNO.EPERM);
  }
}

/** Propagation types, in the order in which they are listed. */
export function recordPropagation(program: Program, tree: Handle, mount: PlannedMount): void {
  for (const { flag, recursive } of mount.propagation) {
    const flags = AT.EMPTY_PATH | (recursive ? AT.RECURSIVE : 0);
    program.mount_setattr(tree, "", flags, mountAttr({ propagation: flag }), MOUNT_ATTR_SIZE);
  }
}
