import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, S } from "../../../ffi/constants/file.ts";
import { MOVE_MOUNT, OPEN_TREE } from "../../../ffi/constants/mount.ts";
import type { Program, Register } from "../../../ffi/program/program.ts";
import { type Handle, recordMakeDirectories, recordMakeFile, recordTarget } from "../in-root.ts";
import { deviceNumber, recordExpectDevice, recordExpectType, statSize } from "../stat.ts";
import type { PlannedDevice, PlannedDevices, PlannedLink } from "./plan.ts";

/**
 * Makes or binds the device nodes and the links of /dev. All of it beneath directories opened inside the root: a /dev
 * that is a link in the image leads nowhere else (CVE-2026-41579, CVE-2026-47766).
 */
export function recordDevices(program: Program, root: Handle, plan: PlannedDevices): void {
  if (plan.way === "create") inDirectories(program, root, plan.nodes, recordNode);
  else for (const node of plan.nodes) recordBoundNode(program, root, node);
  inDirectories(program, root, plan.links, recordLink);
}

/** Opens the directory of each entry, one after the other, once for all entries that follow each other in it. */
function inDirectories<E extends PlannedDevice | PlannedLink>(
  program: Program,
  root: Handle,
  entries: readonly E[],
  record: (program: Program, directory: Register, name: string, entry: E) => void,
): void {
  let open: { path: string; directory: Register } | undefined;
  for (const entry of entries) {
    program.because(entry.origin);
    const slash = entry.path.lastIndexOf("/");
    const path = entry.path.slice(0, slash) || "/";
    if (open?.path !== path) {
      if (open) program.close(open.directory);
      open = {
        path,
        directory: recordTarget(program, root, path, () => recordMakeDirectories(program, root, path)),
      };
    }
    record(program, open.directory, entry.path.slice(slash + 1), entry);
  }
  if (open) program.close(open.directory);
}

function recordNode(program: Program, directory: Register, name: string, node: PlannedDevice): void {
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
  if ((node.mode & S.IFMT) !== S.IFIFO) {
    recordExpectDevice(program, stat, node.major, node.minor, ERRNO.EEXIST);
  }
  program.place(done);
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

function recordLink(program: Program, directory: Register, name: string, { target }: PlannedLink): void {
  program.symlinkat(target, directory, name).ignore(ERRNO.EEXIST);
}
