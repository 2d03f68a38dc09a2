import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, S } from "../../../ffi/constants/file.ts";
import type { Program, Register } from "../../../ffi/program/program.ts";
import { type Handle, recordMakeDirectories, recordMakeFile } from "../in-root.ts";
import { recordExpectType, statSize } from "../stat.ts";

/**
 * Makes a missing mount point: a directory, or a file when the tree to be mounted is no directory.
 * @param tree the tree of a bind mount; without one the target is a directory
 */
export function recordMakeLike(
  program: Program,
  root: Handle,
  path: string,
  tree: Register | undefined,
): void {
  if (!tree) {
    recordMakeDirectories(program, root, path);
    return;
  }
  const directory = program.label(`${path} is a directory`);
  const made = program.label(`${path} made`);
  const stat = program.space(statSize);
  program.newfstatat(tree, "", stat, AT.EMPTY_PATH);
  recordMakeDirectories(program, root, path.slice(0, path.lastIndexOf("/")));
  const file = program.label(`${path} is a file`);
  recordExpectType(program, stat, S.IFDIR, ERRNO.ENOTDIR).orJump(file);
  program.jump(directory);
  program.place(file);
  recordMakeFile(program, root, path);
  program.jump(made);
  program.place(directory);
  recordMakeDirectories(program, root, path);
  program.place(made);
}
