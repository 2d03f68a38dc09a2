// What becomes of a container's groups after they were made: exec enters them, delete removes them.
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT } from "../../../ffi/constants/file.ts";
import { exists, readText, writeValue } from "../../../ffi/file.ts";
import { attempt, failure } from "../../../ffi/libc.ts";

/** What state.json remembers. */
export interface IntelRdtRecord {
  /** Directory of the class of service. */
  readonly path: string;
  /** "own" is removed with the container, "shared" when nobody is left in it, "given" is somebody else's. */
  readonly made: "own" | "shared" | "given";
  /** Directory of the monitoring group; "" for none. */
  readonly monitor: string;
}

/**
 * Puts a process into the groups; those that it makes later are there, too. A monitoring group takes only processes of its
 * class, so that comes first. Documentation/filesystems/resctrl.rst. Throws SyscallError.
 */
export function joinIntelRdt({ path, monitor }: IntelRdtRecord, pid: number): void {
  writeValue(`${path}/tasks`, String(pid));
  if (monitor !== "") writeValue(`${monitor}/tasks`, String(pid));
}

/** Removes what was made for a container whose processes are gone. What is gone already is no error. Throws SyscallError. */
export function leaveIntelRdt({ path, made, monitor }: IntelRdtRecord): void {
  if (monitor !== "") remove(monitor);
  if (made === "own" || (made === "shared" && isEmpty(path))) remove(path);
}

/** Removing a class would put the processes of others into the default one. */
function isEmpty(path: string): boolean {
  const tasks = `${path}/tasks`;
  return exists(tasks) && readText(tasks).trim() === "";
}

function remove(path: string): void {
  const result = attempt.unlinkat(AT.FDCWD, path, AT.REMOVEDIR);
  if (result === 0 || result === -ERRNO.ENOENT) return;
  throw failure("unlinkat", [AT.FDCWD, path, AT.REMOVEDIR], -result);
}
