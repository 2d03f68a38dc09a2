import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, O } from "../../../ffi/constants/file.ts";
import {
  FSCONFIG,
  FSMOUNT,
  FSOPEN,
  MOUNT_ATTR,
  MOVE_MOUNT,
  OPEN_TREE,
} from "../../../ffi/constants/mount.ts";
import type { Program, Register } from "../../../ffi/program/program.ts";
import { MOUNT_ATTR_SIZE, mountAttr } from "../../../ffi/structs/mount-attr.ts";
import type { CgroupHierarchy } from "../cgroup-view.ts";
import { type Handle, recordMakeDirectories, recordOpenInRoot, recordTarget } from "../in-root.ts";
import { recordPropagation, setAttributes } from "./attributes.ts";
import type { PlannedMount, PlannedSource } from "./plan.ts";

/** In a cgroup namespace of its own: a new mount shows the container's part only. */
interface Namespaced {
  /** Records what tells that the next step is there for one that was not permitted. */
  readonly instead: () => void;
}

type Cgroup = Extract<PlannedSource, { kind: "cgroup" }>;

const moveFlags = MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH;

/**
 * A cgroup mount: the hierarchy of version 2, or a small tmpfs with one directory for each of version 1, of which the
 * container sees its own part only.
 */
export function recordCgroupMount(
  program: Program,
  root: Handle,
  mount: PlannedMount,
  source: Cgroup,
  instead: () => void,
): void {
  const namespaced = source.namespaced ? { instead } : undefined;
  const attributes = mount.attributes.set | (source.readonly ? MOUNT_ATTR.RDONLY : 0);
  const finish = (tree: Handle) => {
    setAttributes(program, tree, mount.recursiveAttributes, true);
    recordPropagation(program, tree, mount);
  };
  switch (source.view.kind) {
    case "none":
      recordTmpfs(program, root, mount.target, attributes | MOUNT_ATTR.RDONLY, source.label, finish);
      return;
    case "v2": {
      const tree = recordHierarchy(program, "cgroup2", "", source.view.path, attributes, namespaced);
      recordMove(program, root, tree, mount.target, finish);
      return;
    }
    case "v1":
      recordFarm(program, root, mount, source, source.view.hierarchies, { attributes, namespaced, finish });
  }
}

interface Farm {
  readonly attributes: number;
  readonly namespaced: Namespaced | undefined;
  readonly finish: (tree: Handle) => void;
}

/** The directory of hierarchies that version 1 is mounted as. */
function recordFarm(
  program: Program,
  root: Handle,
  mount: PlannedMount,
  { label }: Cgroup,
  hierarchies: readonly CgroupHierarchy[],
  { attributes, namespaced, finish }: Farm,
): void {
  recordTmpfs(program, root, mount.target, attributes & ~MOUNT_ATTR.RDONLY, label);
  const directory = recordOpenInRoot(program, root, mount.target, O.PATH | O.DIRECTORY);
  for (const hierarchy of hierarchies) {
    const { type, options, path } = hierarchy;
    program.mkdirat(directory, hierarchy.directory, 0o755).ignore(ERRNO.EEXIST);
    const tree = recordHierarchy(program, type, options, path, attributes, namespaced);
    program.move_mount(tree, "", directory, hierarchy.directory, MOVE_MOUNT.F_EMPTY_PATH);
    program.close(tree);
    for (const link of hierarchy.links) {
      program.symlinkat(hierarchy.directory, directory, link).ignore(ERRNO.EEXIST);
    }
  }
  if (attributes & MOUNT_ATTR.RDONLY) {
    const attr = mountAttr({ set: MOUNT_ATTR.RDONLY, clear: 0 });
    program.mount_setattr(directory, "", AT.EMPTY_PATH, attr, MOUNT_ATTR_SIZE);
  }
  finish(directory);
  program.close(directory);
}

/**
 * One hierarchy as a detached tree. In a cgroup namespace a fresh mount shows the container's part; otherwise, or when
 * that is not permitted, its directory is bound.
 */
function recordHierarchy(
  program: Program,
  type: string,
  options: string,
  path: string,
  attributes: number,
  namespaced: Namespaced | undefined,
): Register {
  const tree = program.register(`cgroup tree ${path}`);
  if (!namespaced) return recordBound(program, path, attributes, tree);
  const bind = program.label(`bind ${path}`);
  const done = program.label(`have ${path}`);
  const context = program.fsopen(type, FSOPEN.CLOEXEC);
  for (const option of options.split(",").filter((each) => each !== "")) {
    const [key = "", value] = option.split("=");
    const command = value === undefined ? FSCONFIG.SET_FLAG : FSCONFIG.SET_STRING;
    program.fsconfig(context, command, key, value ?? null, 0);
  }
  program
    .fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0)
    .orJump(bind, ERRNO.EPERM, ERRNO.EBUSY, ERRNO.EACCES);
  program
    .fsmount(context, FSMOUNT.CLOEXEC, attributes)
    .into(tree)
    .orJump(bind, ERRNO.EPERM, ERRNO.EACCES)
    .ifNonZero(done);
  program.place(bind);
  namespaced.instead();
  recordBound(program, path, attributes, tree);
  program.place(done);
  program.close(context);
  return tree;
}

function recordBound(program: Program, path: string, attributes: number, tree: Register): Register {
  program.open_tree(AT.FDCWD, path, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC).into(tree);
  setAttributes(program, tree, { set: attributes, clear: 0 }, false);
  return tree;
}

function recordTmpfs(
  program: Program,
  root: Handle,
  target: string,
  attributes: number,
  label: string,
  finish: (tree: Handle) => void = () => {},
): void {
  const context = program.fsopen("tmpfs", FSOPEN.CLOEXEC);
  program.fsconfig(context, FSCONFIG.SET_STRING, "mode", "755", 0);
  if (label !== "") program.fsconfig(context, FSCONFIG.SET_STRING, "context", label, 0);
  program.fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0);
  const tree = program.register(`tmpfs for ${target}`);
  program.fsmount(context, FSMOUNT.CLOEXEC, attributes).into(tree);
  program.close(context);
  recordMove(program, root, tree, target, finish);
}

function recordMove(
  program: Program,
  root: Handle,
  tree: Register,
  path: string,
  finish: (tree: Handle) => void,
): void {
  const target = recordTarget(program, root, path, () => recordMakeDirectories(program, root, path));
  program.move_mount(tree, "", target, "", moveFlags);
  finish(tree);
  program.close(target);
  program.close(tree);
}
