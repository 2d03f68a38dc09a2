import { ERRNO } from "../../../ffi/constants/errno.ts";
import { O } from "../../../ffi/constants/file.ts";
import { SyscallError } from "../../../ffi/error.ts";
import { type Descriptor, listDirectory, openFile, readText } from "../../../ffi/file.ts";
import { type CgroupRecord, controllerPath, directoriesOf, unifiedPath } from "./cgroup-record.ts";

/**
 * The processes of a container, also those in cgroups that were made inside its own, as this process's pid namespace
 * numbers them. Empty when the cgroup is gone.
 */
export function processesOf(record: CgroupRecord): number[] {
  const path =
    unifiedPath(record) ?? controllerPath(record, "freezer") ?? directoriesOf(record).at(0)?.path ?? "";
  return path === "" ? [] : processesIn(path);
}

/** The processes of the cgroup of a directory, and of those beneath it. */
export function processesIn(path: string): number[] {
  try {
    using directory = openFile(path, O.RDONLY | O.DIRECTORY);
    return collect(directory);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function collect(directory: Descriptor): number[] {
  const pids = readPids(directory.fd);
  for (const { name, type } of listDirectory(directory.fd)) {
    if (type !== "directory") continue;
    try {
      using child = openFile(name, O.RDONLY | O.DIRECTORY | O.NOFOLLOW, 0, directory.fd);
      pids.push(...collect(child));
    } catch (error) {
      // Somebody inside removed it meanwhile.
      if (!isGone(error)) throw error;
    }
  }
  return pids;
}

/** The processes of one cgroup. */
export function readPids(dirfd: number): number[] {
  try {
    const lines = readText({ dirfd, path: "cgroup.procs" }).split("\n");
    // 0 stands for a process that this pid namespace does not know.
    return lines.map(Number).filter((pid) => pid > 0);
  } catch (error) {
    // The file of a threaded cgroup cannot be read; its processes are in the one above it. cgroups(7).
    if (error instanceof SyscallError && error.errno === ERRNO.EOPNOTSUPP) return [];
    throw error;
  }
}

/** Somebody removed the cgroup meanwhile. */
export function isGone(error: unknown): boolean {
  return error instanceof SyscallError && (error.errno === ERRNO.ENOENT || error.errno === ERRNO.ENODEV);
}
