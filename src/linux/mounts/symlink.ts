import { ERRNO } from "../../../ffi/constants/errno.ts";
import type { Program } from "../../../ffi/program/program.ts";
import { type Handle, recordInDirectory, recordMakeDirectories, splitPath } from "../in-root.ts";

/** PATH_MAX: no link is longer. */
const longestLink = 4096;

/**
 * Makes a symbolic link in the container: copy-symlink of a source that is one. The same link may be there already;
 * anything else under its name is an error.
 * @param path absolute path in the container
 */
export function recordSymlink(program: Program, root: Handle, path: string, text: string): void {
  const names = splitPath(path);
  const name = names.pop() ?? ".";
  recordMakeDirectories(program, root, names.join("/"));
  recordInDirectory(program, root, names, (directory) => {
    const exists = program.label(`${path} exists`);
    const made = program.label(`${path} made`);
    program.symlinkat(text, directory, name).orJump(exists, ERRNO.EEXIST);
    program.jump(made);
    program.place(exists);
    const bytes = new TextEncoder().encode(text);
    const found = program.space(longestLink);
    const length = program.readlinkat(directory, name, found, longestLink);
    program.expect(length, -1, bytes.length, ERRNO.EEXIST);
    for (let at = 0; at < bytes.length; at += 8) {
      const word = new Uint8Array(8);
      word.set(bytes.subarray(at, at + 8));
      // The bytes behind the link's end are the program's own, and 0.
      program.expect(found.at(at), -1, new DataView(word.buffer).getBigUint64(0, true), ERRNO.EEXIST);
    }
    program.place(made);
  });
}
