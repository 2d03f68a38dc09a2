// `delete` loads this file and nothing else of the room, as long as the cgroup is empty.
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, O } from "../../../ffi/constants/file.ts";
import { Descriptor, listDirectory } from "../../../ffi/file.ts";
import { attempt, failure } from "../../../ffi/libc.ts";
import { type CgroupRecord, directoriesOf, readCgroupRecord } from "./cgroup-record.ts";

export type { CgroupRecord } from "./cgroup-record.ts";

/**
 * Removes a container's cgroups with those that were made inside them. Processes that are left in them are killed: in a
 * container without a pid namespace they outlive init. What is gone already is no error.
 * @param state a CgroupRecord, as state.json has it; null when the container has none
 * Throws SyscallError when one stays busy.
 */
export function destroyCgroup(state: unknown): void {
  const record = readCgroupRecord(state);
  if (!record) return;
  for (const { path } of directoriesOf(record)) {
    const result = removeTree(AT.FDCWD, path);
    if (result === 0 || result === -ERRNO.ENOENT) continue;
    if (result !== -ERRNO.EBUSY) throw failure("unlinkat", [AT.FDCWD, path, AT.REMOVEDIR], -result);
    empty(record);
    removeEmptied(path);
  }
  if (record.scope) {
    const { destroyScope } = require("./systemd/destroy.ts") as typeof import("./systemd/destroy.ts");
    destroyScope(record, record.scope);
  }
}

/**
 * Removes a cgroup, and before it those beneath it. By descriptors: the container may have nested them more deeply than a
 * path can say. Returns what rmdir(2) of it says at last: 0, or a negated error number.
 */
export function removeTree(dirfd: number, path: string): number {
  const result = attempt.unlinkat(dirfd, path, AT.REMOVEDIR);
  if (result !== -ERRNO.EBUSY) return result;
  const fd = attempt.openat(dirfd, path, O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC, 0);
  if (fd < 0) return fd;
  using directory = new Descriptor(fd);
  const children = listDirectory(fd).filter(({ type }) => type === "directory");
  if (children.length === 0) return result;
  for (const { name } of children) removeTree(directory.fd, name);
  return attempt.unlinkat(dirfd, path, AT.REMOVEDIR);
}

function empty(record: CgroupRecord): void {
  const { killCgroup } = require("./kill.ts") as typeof import("./kill.ts");
  killCgroup(record);
}

/** Between the end of a process and its leaving the cgroup the kernel takes a moment, of which version 1 tells nobody. */
export function removeEmptied(path: string): void {
  const { pause } = require("./wait.ts") as typeof import("./wait.ts");
  for (let wait = 1; ; wait *= 2) {
    const result = removeTree(AT.FDCWD, path);
    if (result === 0 || result === -ERRNO.ENOENT) return;
    if (result !== -ERRNO.EBUSY || wait > 1024) {
      throw failure("unlinkat", [AT.FDCWD, path, AT.REMOVEDIR], -result);
    }
    pause(wait);
  }
}
