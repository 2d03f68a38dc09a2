// Opening and making files inside a root filesystem, for every room that must. All of it through openat2(2) with
// RESOLVE_IN_ROOT: no link in an image leads out of it (CVE-2019-18837, CVE-2021-30465, CVE-2024-45310).
import { ERRNO } from "../../ffi/constants/errno.ts";
import { O, RESOLVE } from "../../ffi/constants/file.ts";
import type { Program, Register, Step } from "../../ffi/program/program.ts";
import { OPEN_HOW_SIZE, openHow } from "../../ffi/structs/open-how.ts";

export type Handle = Register | Step;

/** Absolute path of the container → its names; `.` and empty ones dropped. */
export function splitPath(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** Opens an absolute path as the container sees it. @param flags O.*; O.CLOEXEC is added */
export function recordOpenInRoot(
  program: Program,
  root: Handle,
  path: string,
  flags: number,
  resolve: number = 0,
): Step {
  const how = openHow(flags | O.CLOEXEC, 0, RESOLVE.IN_ROOT | resolve);
  return program.openat2(root, path, how, OPEN_HOW_SIZE);
}

/** Makes the directories of a path that are missing, each beneath its opened parent. */
export function recordMakeDirectories(program: Program, root: Handle, path: string, mode = 0o755): void {
  const names = splitPath(path);
  names.forEach((name, index) => {
    const parent = recordOpenInRoot(
      program,
      root,
      `/${names.slice(0, index).join("/")}`,
      O.PATH | O.DIRECTORY,
    );
    program.mkdirat(parent, name, mode).ignore(ERRNO.EEXIST);
    program.close(parent);
  });
}

/** Makes an empty file; its directories must be there. One that exists is left alone. */
export function recordMakeFile(program: Program, root: Handle, path: string): void {
  const names = splitPath(path);
  const name = names.pop() ?? ".";
  const parent = recordOpenInRoot(program, root, `/${names.join("/")}`, O.PATH | O.DIRECTORY);
  const exists = program.label(`${path} exists`);
  const file = program
    .openat(parent, name, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC, 0o644)
    .orJump(exists, ERRNO.EEXIST);
  program.close(file);
  program.place(exists);
  program.close(parent);
}

/**
 * Opens a mount point with O_PATH, and makes it first when it is missing.
 * @param make records what makes it
 * @param resolve further RESOLVE.* bits
 */
export function recordTarget(
  program: Program,
  root: Handle,
  path: string,
  make: () => void,
  resolve: number = 0,
): Register {
  const target = program.register(`target ${path}`);
  const missing = program.label(`make ${path}`);
  const found = program.label(`have ${path}`);
  recordOpenInRoot(program, root, path, O.PATH, resolve)
    .into(target)
    .ifNonZero(found)
    .orJump(missing, ERRNO.ENOENT);
  program.place(missing);
  make();
  recordOpenInRoot(program, root, path, O.PATH, resolve).into(target);
  program.place(found);
  return target;
}
