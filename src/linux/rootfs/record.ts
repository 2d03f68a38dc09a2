import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, O } from "../../../ffi/constants/file.ts";
import { MNT, MOUNT_ATTR, MOVE_MOUNT, MS, OPEN_TREE } from "../../../ffi/constants/mount.ts";
import type { Program, Register, Step } from "../../../ffi/program/program.ts";
import { MOUNT_ATTR_SIZE, mountAttr } from "../../../ffi/structs/mount-attr.ts";
import type { Handle } from "../in-root.ts";
import type { PlannedRootfs } from "./plan.ts";

/** Opens the root's tree before the container's user namespace is entered, when only the caller sees it. */
export function recordEarlyRoot(program: Program, plan: PlannedRootfs): Register | undefined {
  if (!plan.openEarly) return undefined;
  const root = program.register("root");
  recordOpenRoot(program, plan, root);
  if (plan.propagation !== MS.SHARED) {
    // Outside of the container's mount namespace nothing has cut the tree's ties to the caller's mounts yet.
    const attr = mountAttr({ propagation: plan.propagation });
    program.mount_setattr(root, "", AT.EMPTY_PATH | AT.RECURSIVE, attr, MOUNT_ATTR_SIZE);
  }
  return root;
}

/**
 * Cuts or loosens the ties of the new mount namespace to the caller's, and makes the root filesystem a mount of its
 * own. Returns its descriptor: everything later is opened beneath it.
 * @param early the tree, when `recordEarlyRoot` opened it
 * @param hooked hooks come before the switch of root, and look for the root filesystem at its path
 */
export function recordRoot(
  program: Program,
  plan: PlannedRootfs,
  early: Register | undefined,
  hooked: boolean,
): Register {
  const root = early ?? program.register("root");
  if (plan.switch === "chroot") {
    program.because("root.path");
    program.openat(AT.FDCWD, plan.path, O.PATH | O.DIRECTORY | O.CLOEXEC, 0).into(root);
    return root;
  }
  program.because("linux.rootfsPropagation");
  program.mount(null, "/", null, MS.REC | plan.propagation, null);
  if (early) {
    recordAttach(program, plan, early, hooked);
    return root;
  }
  recordOpenRoot(program, plan, root);
  if (plan.propagation === MS.SHARED) recordPrivate(program, root, plan.path);
  program.move_mount(root, "", AT.FDCWD, plan.path, MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_SYMLINKS);
  return root;
}

/** The path need not be visible here, and only hooks care where the root is attached: it is about to become `/`. */
function recordAttach(program: Program, plan: PlannedRootfs, root: Register, hooked: boolean): void {
  program.because("root.path");
  const attached = program.label("root attached");
  if (hooked) {
    const hidden = program.label("root hidden");
    const flags = MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_SYMLINKS;
    program.move_mount(root, "", AT.FDCWD, plan.path, flags).orJump(hidden);
    program.jump(attached);
    program.place(hidden);
  }
  program.move_mount(root, "", AT.FDCWD, "/", MOVE_MOUNT.F_EMPTY_PATH);
  program.place(attached);
}

function recordOpenRoot(program: Program, plan: PlannedRootfs, root: Register): void {
  program.because("root.path");
  const flags = OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | OPEN_TREE.RECURSIVE;
  program.open_tree(AT.FDCWD, plan.path, flags).into(root);
}

/**
 * pivot_root(2) refuses a root that is shared, and one whose parent mount is. The root gets its propagation in the end;
 * a private mount of the same directory, between the two, keeps the parent as it is.
 */
function recordPrivate(program: Program, root: Register, path: string): void {
  const attr = mountAttr({ propagation: MS.PRIVATE });
  program.mount_setattr(root, "", AT.EMPTY_PATH, attr, MOUNT_ATTR_SIZE);
  const between = program.open_tree(AT.FDCWD, path, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC);
  program.move_mount(between, "", AT.FDCWD, path, MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_SYMLINKS);
  program.mount_setattr(between, "", AT.EMPTY_PATH, attr, MOUNT_ATTR_SIZE);
  program.close(between);
}

/** Makes the root filesystem `/`. Afterwards the current directory is the new root. */
export function recordSwitchRoot(program: Program, root: Handle, plan: PlannedRootfs): void {
  program.because("root.path");
  const steps: Record<PlannedRootfs["switch"], () => void> = {
    pivot: () => recordPivot(program, root, plan),
    move: () => {
      program.fchdir(root);
      // One that was opened early may be there already.
      program.move_mount(root, "", AT.FDCWD, "/", MOVE_MOUNT.F_EMPTY_PATH).ignore(ERRNO.ELOOP);
      program.chroot(".");
    },
    chroot: () => {
      program.fchdir(root);
      program.chroot(".");
    },
  };
  steps[plan.switch]();
  program.chdir("/");
  if (plan.propagationAsked && plan.switch !== "chroot") {
    program.because("linux.rootfsPropagation");
    program.mount(null, "/", null, plan.finalPropagation, null);
  }
}

/** The old root is stacked onto the new one and let go from there, so that no directory is needed for it. */
function recordPivot(program: Program, root: Handle, plan: PlannedRootfs): void {
  const old: Step = program.openat(AT.FDCWD, "/", O.PATH | O.DIRECTORY | O.CLOEXEC, 0);
  program.fchdir(root);
  program.pivot_root(".", ".");
  program.fchdir(old);
  // Unmounting what is shared would unmount it for the caller.
  if (plan.propagation === MS.SHARED) program.mount(null, ".", null, MS.REC | MS.SLAVE, null);
  program.umount2(".", MNT.DETACH);
  program.close(old);
}

/** Makes the root mount read-only, when everything that had to be made in it is there. */
export function recordReadonlyRoot(program: Program, root: Handle, plan: PlannedRootfs): void {
  if (!plan.readonly) return;
  program.because("root.readonly");
  const attr = mountAttr({ set: MOUNT_ATTR.RDONLY, clear: 0 });
  program.mount_setattr(root, "", AT.EMPTY_PATH, attr, MOUNT_ATTR_SIZE);
}
