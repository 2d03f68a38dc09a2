// Opening and making files inside a root filesystem, for every room that must. All of it through openat2(2) with
// RESOLVE_IN_ROOT: no link in an image leads out of it (CVE-2019-18837, CVE-2021-30465, CVE-2024-45310).
import { ERRNO } from "../../ffi/constants/errno.ts";
import { O, RESOLVE } from "../../ffi/constants/file.ts";
import type { Label, Program, Register, Step } from "../../ffi/program/program.ts";
import { OPEN_HOW_SIZE, openHow } from "../../ffi/structs/open-how.ts";

export type Handle = Register | Step;

/** Absolute path of the container → its names; `.` and empty ones dropped. */
export function splitPath(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split("/")) if (name !== "" && name !== ".") names.push(name);
  return names;
}

/** Opens an absolute path as the container sees it. @param flags O.*; O.CLOEXEC is added */
export function recordOpenInRoot(
  program: Program,
  root: Handle,
  path: string,
  flags: number,
  resolve: number = 0,
): Step {
  return program.openat2(root, path, howInRoot(flags, resolve), OPEN_HOW_SIZE);
}

const hows = new Map<number, Uint8Array>();

/** The same bytes for the same flags: a program then holds them once. */
function howInRoot(flags: number, resolve: number): Uint8Array {
  const key = flags + resolve * 2 ** 32;
  let how = hows.get(key);
  if (!how) {
    how = openHow(flags | O.CLOEXEC, 0, RESOLVE.IN_ROOT | resolve);
    hows.set(key, how);
  }
  return how;
}

/** Records what is done in a directory of the root, which is open for that long. @param names of the directory's path */
export function recordInDirectory(
  program: Program,
  root: Handle,
  names: readonly string[],
  record: (directory: Handle) => void,
): void {
  if (names.length === 0) {
    record(root);
    return;
  }
  const directory = recordOpenInRoot(program, root, `/${names.join("/")}`, O.PATH | O.DIRECTORY);
  record(directory);
  program.close(directory);
}

/** Makes the directories of a path that are missing, each beneath its opened parent. */
export function recordMakeDirectories(program: Program, root: Handle, path: string, mode = 0o755): void {
  const names = splitPath(path);
  for (let depth = 0; depth < names.length; depth++) {
    recordInDirectory(program, root, names.slice(0, depth), (parent) => {
      program.mkdirat(parent, names[depth] ?? ".", mode).ignore(ERRNO.EEXIST);
    });
  }
}

/** Makes an empty file; its directories must be there. One that exists is left alone. */
export function recordMakeFile(program: Program, root: Handle, path: string): void {
  const names = splitPath(path);
  const name = names.pop() ?? ".";
  recordInDirectory(program, root, names, (parent) => {
    const exists = program.label(`${path} exists`);
    recordMakeFileIn(program, parent, name, exists);
    program.place(exists);
  });
}

/** Makes an empty file in an open directory. @param exists where the program goes on when the name is taken */
export function recordMakeFileIn(program: Program, directory: Handle, name: string, exists: Label): void {
  const file = program
    .openat(directory, name, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC, 0o644)
    .orJump(exists, ERRNO.EEXIST);
  program.close(file);
}

/**
 * Opens a mount point with O_PATH, and makes it first when it is missing.
 * @param make records what makes it
 * @param resolve further RESOLVE.* bits
 * @param flags further O.* bits: O.NOFOLLOW for a link itself
 */
export function recordTarget(
  program: Program,
  root: Handle,
  path: string,
  make: () => void,
  resolve: number = 0,
  flags: number = 0,
): Register {
  const target = program.register(`target ${path}`);
  const missing = program.label(`make ${path}`);
  const found = program.label(`have ${path}`);
  recordOpenInRoot(program, root, path, O.PATH | flags, resolve)
    .into(target)
    .ifNonZero(found)
    .orJump(missing, ERRNO.ENOENT);
  program.place(missing);
  make();
  recordOpenInRoot(program, root, path, O.PATH | flags, resolve).into(target);
  program.place(found);
  return target;
}
