import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, S } from "../../../ffi/constants/file.ts";
import { MOVE_MOUNT, OPEN_TREE } from "../../../ffi/constants/mount.ts";
import type { Program } from "../../../ffi/program/program.ts";
import { type Handle, recordMakeDirectories, recordMakeFile, recordTarget, splitPath } from "../in-root.ts";
import { deviceNumber, recordExpectDevice, recordExpectType, statSize } from "../stat.ts";
import type { PlannedDevice, PlannedDevices, PlannedLink } from "./plan.ts";

/**
 * Makes or binds the device nodes and the links of /dev. All of it beneath directories opened inside the root: a /dev
 * that is a link in the image leads nowhere else (CVE-2026-41579, CVE-2026-47766).
 */
export function recordDevices(program: Program, root: Handle, plan: PlannedDevices): void {
  const record = plan.way === "create" ? recordNode : recordBoundNode;
  for (const node of plan.nodes) record(program, root, node);
  for (const link of plan.links) recordLink(program, root, link);
}

/** Opens the directory of a path, made when it is missing; returns it and the last name. */
function openParent(program: Program, root: Handle, path: string) {
  const names = splitPath(path);
  const name = names.pop() ?? "";
  const parent = `/${names.join("/")}`;
  const directory = recordTarget(program, root, parent, () => recordMakeDirectories(program, root, parent));
  return { directory, name };
}

function recordNode(program: Program, root: Handle, node: PlannedDevice): void {
  program.because(node.origin);
  const { directory, name } = openParent(program, root, node.path);
  const exists = program.label(`${node.path} exists`);
  const done = program.label(`${node.path} made`);
  const number = deviceNumber(node.major, node.minor);
  program.mknodat(directory, name, node.mode, number).orJump(exists, ERRNO.EEXIST);
  if (node.uid !== 0 || node.gid !== 0) {
    program.fchownat(directory, name, node.uid, node.gid, AT.SYMLINK_NOFOLLOW);
  }
  program.jump(done);
  program.place(exists);
  // What the image has under this name must be the device that was asked for (runtime-spec, "Devices").
  const stat = program.space(statSize);
  program.newfstatat(directory, name, stat, AT.SYMLINK_NOFOLLOW);
  recordExpectType(program, stat, node.mode & S.IFMT, ERRNO.EEXIST);
  if ((node.mode & S.IFMT) !== S.IFIFO)
    recordExpectDevice(program, stat, node.major, node.minor, ERRNO.EEXIST);
  program.place(done);
  program.close(directory);
}

/** Binds the caller's node, which must be the device of these numbers, onto an empty file. */
function recordBoundNode(program: Program, root: Handle, node: PlannedDevice): void {
  program.because(node.origin);
  const tree = program.open_tree(AT.FDCWD, node.path, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC);
  const stat = program.space(statSize);
  program.newfstatat(tree, "", stat, AT.EMPTY_PATH);
  recordExpectType(program, stat, node.mode & S.IFMT, ERRNO.ENODEV);
  recordExpectDevice(program, stat, node.major, node.minor, ERRNO.ENODEV);
  const target = recordTarget(program, root, node.path, () => {
    recordMakeDirectories(program, root, node.path.slice(0, node.path.lastIndexOf("/")));
    recordMakeFile(program, root, node.path);
  });
  program.move_mount(tree, "", target, "", MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH);
  program.close(target);
  program.close(tree);
}

function recordLink(program: Program, root: Handle, { path, target }: PlannedLink): void {
  program.because(path);
  const { directory, name } = openParent(program, root, path);
  program.symlinkat(target, directory, name).ignore(ERRNO.EEXIST);
  program.close(directory);
}
