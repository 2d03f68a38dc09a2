import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, S } from "../../../ffi/constants/file.ts";
import type { Program, Register } from "../../../ffi/program/program.ts";
import {
  type Handle,
  recordInDirectory,
  recordMakeDirectories,
  recordMakeFileIn,
  splitPath,
} from "../in-root.ts";
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
  const names = splitPath(path);
  const name = names.pop() ?? ".";
  recordMakeDirectories(program, root, names.join("/"));
  recordInDirectory(program, root, names, (parent) => {
    const file = program.label(`${path} is a file`);
    const made = program.label(`${path} made`);
    const stat = program.space(statSize);
    program.newfstatat(tree, "", stat, AT.EMPTY_PATH);
    recordExpectType(program, stat, S.IFDIR, ERRNO.ENOTDIR).orJump(file);
    program.mkdirat(parent, name, 0o755).ignore(ERRNO.EEXIST);
    program.jump(made);
    program.place(file);
    recordMakeFileIn(program, parent, name, made);
    program.place(made);
  });
}
