import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, MAGIC, O, RESOLVE } from "../../../ffi/constants/file.ts";
import {
  FSCONFIG,
  FSMOUNT,
  FSOPEN,
  MOUNT_ATTR,
  MOVE_MOUNT,
  MS,
  OPEN_TREE,
} from "../../../ffi/constants/mount.ts";
import type { Label, Program, Register } from "../../../ffi/program/program.ts";
import { MOUNT_ATTR_SIZE, mountAttr } from "../../../ffi/structs/mount-attr.ts";
import { type Handle, recordOpenInRoot, recordTarget } from "../in-root.ts";
import { recordCgroupMount } from "./cgroup.ts";
import { recordRootLabel } from "./label.ts";
import { recordMakeLike } from "./make-target.ts";
import type { Attributes, Parameter, PlannedMount, PlannedSource } from "./plan.ts";

type Filesystem = Extract<PlannedSource, { kind: "filesystem" }>;
type Legacy = Extract<PlannedSource, { kind: "legacy" }>;
type Bind = Extract<PlannedSource, { kind: "bind" }>;

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
 * @param instead records what tells that the next step is there for one that was not permitted
 * @param early the tree, when `recordEarlySource` opened it
 */
export function recordMount(
  program: Program,
  root: Handle,
  mount: PlannedMount,
  instead: () => void,
  early?: Register,
): void {
  program.because(mount.origin);
  const { source } = mount;
  switch (source.kind) {
    case "remount":
      recordRemount(program, root, mount);
      return;
    case "cgroup":
      recordCgroupMount(program, root, mount, source, instead);
      return;
    case "legacy":
      recordLegacy(program, root, mount, source);
      return;
    case "bind": {
      const tree = early ?? recordBind(program, source, program.register(`tree of ${mount.origin}`));
      recordAttributes(program, tree, mount, "bind");
      attach(program, root, mount, tree);
      return;
    }
    case "filesystem": {
      const tree = recordFilesystem(program, source, mount, instead);
      recordAttributes(program, tree, mount, "filesystem");
      attach(program, root, mount, tree);
    }
  }
}

function recordBind(program: Program, source: Bind, tree: Register): Register {
  program
    .open_tree(
      AT.FDCWD,
      source.path,
      OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | (source.recursive ? OPEN_TREE.RECURSIVE : 0),
    )
    .into(tree);
  return tree;
}

function recordFilesystem(
  program: Program,
  source: Filesystem,
  mount: PlannedMount,
  instead: () => void,
): Register {
  const tree = program.register(`tree of ${mount.origin}`);
  if (source.fallback.path !== "") return recordPermitted(program, source, mount, instead, tree);
  const context = recordContext(program, source.type, source.source, source.parameters);
  program.fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0);
  program.fsmount(context, FSMOUNT.CLOEXEC, mount.attributes.set).into(tree);
  recordRootLabel(program, tree, source.rootLabel);
  program.because(mount.origin);
  program.close(context);
  return tree;
}

/** A new file system if the kernel permits this namespace one, else what may stand in for it. */
function recordPermitted(
  program: Program,
  source: Filesystem,
  mount: PlannedMount,
  instead: () => void,
  tree: Register,
): Register {
  // It is answered in any of three calls: sysfs already in the first.
  const unopened = program.label(`${mount.origin} refused at once`);
  const refused = program.label(`${mount.origin} refused`);
  const made = program.label(`${mount.origin} made`);
  const done = program.label(`${mount.origin} at hand`);
  const context = recordContext(program, source.type, source.source, source.parameters, unopened);
  program.fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0).orJump(refused, ERRNO.EPERM, ERRNO.EACCES);
  program
    .fsmount(context, FSMOUNT.CLOEXEC, mount.attributes.set)
    .into(tree)
    .orJump(refused, ERRNO.EPERM, ERRNO.EACCES)
    .ifNonZero(made);
  program.place(refused);
  program.close(context);
  program.place(unopened);
  instead();
  program
    .open_tree(AT.FDCWD, source.fallback.path, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | OPEN_TREE.RECURSIVE)
    .into(tree);
  setAttributes(program, tree, { set: mount.attributes.set | source.fallback.attributes, clear: 0 }, true);
  program.jump(done);
  program.place(made);
  recordRootLabel(program, tree, source.rootLabel);
  program.because(mount.origin);
  program.close(context);
  program.place(done);
  return tree;
}

/**
 * fsopen(2) and all parameters, short of creating anything.
 * @param refused where to go on when the kernel does not permit it; without, that is an error
 */
function recordContext(
  program: Program,
  type: string,
  source: string,
  parameters: readonly Parameter[],
  refused?: Label,
): Register {
  const context = program.register(`context of ${type}`);
  const opened = program.fsopen(type, FSOPEN.CLOEXEC).into(context);
  if (refused) opened.orJump(refused, ERRNO.EPERM, ERRNO.EACCES);
  program.fsconfig(context, FSCONFIG.SET_STRING, "source", source, 0);
  for (const { key, value } of parameters) {
    const step =
      value === null
        ? program.fsconfig(context, FSCONFIG.SET_FLAG, key, null, 0)
        : program.fsconfig(context, FSCONFIG.SET_STRING, key, value, 0);
    // The tty group is not mapped in a namespace of one id: the terminals then belong to the user's own group.
    if (type === "devpts" && key === "gid") step.ignore(ERRNO.EINVAL);
  }
  return context;
}

/** Records: makes the directory that a new file system is to be mounted on, when it is missing. */
export function recordMakeMountPoint(program: Program, root: Handle, mount: PlannedMount): void {
  program.because(mount.origin);
  program.close(recordMountPoint(program, root, mount, undefined));
}

/** mount(2) onto the current directory: the one way to name a target by descriptor. */
function recordLegacy(program: Program, root: Handle, mount: PlannedMount, source: Legacy): void {
  const target = recordMountPoint(program, root, mount, undefined);
  program.fchdir(target);
  program.mount(source.source, ".", source.type, source.flags, source.data === "" ? null : source.data);
  program.close(target);
  const mounted = recordOpenInRoot(program, root, mount.target, O.PATH);
  recordRootLabel(program, mounted, source.rootLabel);
  program.because(mount.origin);
  setAttributes(program, mounted, mount.attributes, false);
  recordPropagation(program, mounted, mount);
  program.close(mounted);
}

function recordRemount(program: Program, root: Handle, mount: PlannedMount): void {
  const mounted = recordOpenInRoot(program, root, mount.target, O.PATH);
  recordAttributes(program, mounted, mount, "bind");
  recordPropagation(program, mounted, mount);
  program.close(mounted);
}

function attach(program: Program, root: Handle, mount: PlannedMount, tree: Register): void {
  const target = recordMountPoint(program, root, mount, mount.source.kind === "bind" ? tree : undefined);
  program.move_mount(tree, "", target, "", MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH);
  recordPropagation(program, tree, mount);
  program.close(target);
  program.close(tree);
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

function recordAttributes(
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
function setAttributes(program: Program, tree: Handle, { set, clear }: Attributes, recursive: boolean): void {
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

function recordPropagation(program: Program, tree: Handle, mount: PlannedMount): void {
  for (const { flag, recursive } of mount.propagation) {
    const flags = AT.EMPTY_PATH | (recursive ? AT.RECURSIVE : 0);
    program.mount_setattr(tree, "", flags, mountAttr({ propagation: flag }), MOUNT_ATTR_SIZE);
  }
}
