import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, MAGIC, O, RESOLVE } from "../../../ffi/constants/file.ts";
import { FSCONFIG, FSPICK, MOUNT_ATTR, MOVE_MOUNT, MS, OPEN_TREE } from "../../../ffi/constants/mount.ts";
import type { Program, Register } from "../../../ffi/program/program.ts";
import { MOUNT_ATTR_SIZE, mountAttr } from "../../../ffi/structs/mount-attr.ts";
import { type Handle, recordOpenInRoot, recordTarget } from "../in-root.ts";
import { recordAttributes, recordPropagation, setAttributes } from "./attributes.ts";
import { recordCgroupMount } from "./cgroup.ts";
import { recordFilesystem, recordParameters } from "./filesystem.ts";
import { recordRootLabel } from "./label.ts";
import { recordMakeLike } from "./make-target.ts";
import type { PlannedMount, PlannedSource } from "./plan.ts";
import { recordSymlink } from "./symlink.ts";
import type { MountTalk } from "./talk.ts";

type Legacy = Extract<PlannedSource, { kind: "legacy" }>;
type Bind = Extract<PlannedSource, { kind: "bind" }>;
type Remount = Extract<PlannedSource, { kind: "remount" }>;

/**
 * Opens the tree of a bind mount whose source only the caller can see, before the container's user namespace is
 * entered. The result belongs to `recordMount` of the same mount.
 * @param propagation MS.* that ties the tree to the caller's mounts no more than the container's other mounts are
 */
export function recordEarlySource(
  program: Program,
  mount: PlannedMount,
  propagation: number,
): Register | undefined {
  if (!mount.openEarly || mount.source.kind !== "bind") return undefined;
  program.because(`${mount.origin}.source`);
  const tree = recordBind(program, mount.source, program.register(`tree of ${mount.origin}`));
  if (propagation !== MS.SHARED) {
    const attr = mountAttr({ propagation });
    program.mount_setattr(tree, "", AT.EMPTY_PATH | AT.RECURSIVE, attr, MOUNT_ATTR_SIZE);
  }
  return tree;
}

/**
 * Mounts one entry: a detached tree is made, its target opened or created inside the root, and the one moved onto the
 * other. Reads as what the kernel will do.
 * @param root the container's root mount, attached already
 * @param talk with the caller
 * @param early the tree, when `recordEarlySource` opened it
 */
export function recordMount(
  program: Program,
  root: Handle,
  mount: PlannedMount,
  talk: MountTalk,
  early?: Register,
): void {
  program.because(mount.origin);
  const { source } = mount;
  switch (source.kind) {
    case "remount":
      recordRemount(program, root, mount, source);
      return;
    case "cgroup":
      recordCgroupMount(program, root, mount, source, () => talk.instead());
      return;
    case "legacy":
      recordLegacy(program, root, mount, source, talk);
      return;
    case "bind": {
      const tree = early ?? recordBind(program, source, program.register(`tree of ${mount.origin}`));
      recordAttributes(program, tree, mount, "bind");
      attach(program, root, mount, tree);
      return;
    }
    case "symlink":
      recordSymlink(program, root, mount.target, source.text);
      return;
    case "filesystem": {
      const tree = recordFilesystem(program, source, mount, talk);
      recordAttributes(program, tree, mount, "filesystem");
      attach(program, root, mount, tree, source.copyUp ? talk : undefined);
    }
  }
}

function recordBind(program: Program, source: Bind, tree: Register): Register {
  program
    .open_tree(
      AT.FDCWD,
      source.path,
      OPEN_TREE.CLONE |
        OPEN_TREE.CLOEXEC |
        (source.recursive ? OPEN_TREE.RECURSIVE : 0) |
        (source.nofollow ? AT.SYMLINK_NOFOLLOW : 0),
    )
    .into(tree);
  return tree;
}

/** Records: makes the directory that a new file system is to be mounted on, when it is missing. */
export function recordMakeMountPoint(program: Program, root: Handle, mount: PlannedMount): void {
  program.because(mount.origin);
  program.close(recordMountPoint(program, root, mount, undefined));
}

/** mount(2) onto the current directory: the one way to name a target by descriptor. */
function recordLegacy(
  program: Program,
  root: Handle,
  mount: PlannedMount,
  source: Legacy,
  talk: MountTalk,
): void {
  const target = recordMountPoint(program, root, mount, undefined);
  program.fchdir(target);
  program.mount(source.source, ".", source.type, source.flags, source.data === "" ? null : source.data);
  const mounted = recordOpenInRoot(program, root, mount.target, O.PATH);
  if (source.copyUp) recordCopyUp(program, target, mounted, talk);
  program.close(target);
  recordRootLabel(program, mounted, source.rootLabel);
  program.because(mount.origin);
  setAttributes(program, mounted, mount.attributes, false);
  recordPropagation(program, mounted, mount);
  program.close(mounted);
}

function recordRemount(program: Program, root: Handle, mount: PlannedMount, { parameters }: Remount): void {
  const mounted = recordOpenInRoot(program, root, mount.target, O.PATH);
  if (parameters.length > 0) {
    const context = program.fspick(mounted, "", FSPICK.CLOEXEC | FSPICK.EMPTY_PATH);
    recordParameters(program, context, parameters);
    program.fsconfig(context, FSCONFIG.CMD_RECONFIGURE, null, null, 0);
    program.close(context);
  }
  recordAttributes(program, mounted, mount, "bind");
  recordPropagation(program, mounted, mount);
  program.close(mounted);
}

/** @param talk when the tree is to be filled with what its target has */
function attach(program: Program, root: Handle, mount: PlannedMount, tree: Register, talk?: MountTalk): void {
  const target = recordMountPoint(program, root, mount, mount.source.kind === "bind" ? tree : undefined);
  if (talk) {
    recordCopyUp(program, target, tree, talk);
    const readonly = mount.attributes.set & MOUNT_ATTR.RDONLY;
    setAttributes(program, tree, { set: readonly, clear: 0 }, false);
  }
  program.move_mount(tree, "", target, "", MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH);
  recordPropagation(program, tree, mount);
  program.close(target);
  program.close(tree);
}

/** A descriptor of a mount, or of a mount point, is good for going there only: both are opened to be read. */
function recordCopyUp(program: Program, source: Handle, target: Handle, talk: MountTalk): void {
  const flags = O.RDONLY | O.DIRECTORY | O.CLOEXEC;
  const from = program.openat(source, ".", flags, 0);
  const to = program.openat(target, ".", flags, 0);
  talk.copyUp(from, to);
  program.close(to);
  program.close(from);
}

/**
 * The target, made like the source when it is missing. /proc and /sys must be directories of the image itself: behind
 * a link, masks and labels would be applied to something else (CVE-2023-27561).
 */
function recordMountPoint(
  program: Program,
  root: Handle,
  mount: PlannedMount,
  tree: Register | undefined,
): Register {
  const fixed = mount.target === "/proc" || mount.target === "/sys";
  const target = recordTarget(
    program,
    root,
    mount.target,
    () => recordMakeLike(program, root, mount.target, tree),
    fixed ? RESOLVE.NO_SYMLINKS : 0,
    mount.targetNofollow ? O.NOFOLLOW : 0,
  );
  if (!mount.target.startsWith("/proc")) recordOutsideProc(program, target, mount.target);
  return target;
}

const statfsSize = 120;

/** Links of the image must not lead a mount to where procfs is: see inside-proc.ts. */
function recordOutsideProc(program: Program, target: Register, path: string): void {
  const outside = program.label(`${path} is not in /proc`);
  const statfs = program.space(statfsSize);
  program.fstatfs(target, statfs);
  program.expect(statfs, 0xffff_ffffn, MAGIC.PROC_SUPER, ERRNO.EINVAL).orJump(outside);
  program.fail(ERRNO.ELOOP);
  program.place(outside);
}
