import { O } from "../../../ffi/constants/file.ts";
import { type Descriptor, listDirectory, openFile, readText } from "../../../ffi/file.ts";
import { type CgroupRecord, unifiedPath } from "./cgroup-record.ts";
import { isGone, readPids } from "./processes.ts";

/**
 * Where a further process of a container can be. A cgroup of version 2 that has controllers for those beneath it takes no
 * processes itself (cgroups(7), "no internal processes"): a container that divides its own, as one with systemd in it does,
 * has moved its init into one beneath. Then that is the place, as it is for runc.
 * @param pid the container's init
 * Throws SyscallError.
 */
export function besideInit(record: CgroupRecord, pid: number): CgroupRecord {
  const path = unifiedPath(record);
  if (path === undefined || !isDivided(path)) return record;
  using directory = openFile(path, O.RDONLY | O.DIRECTORY);
  const found = find(directory, path, pid);
  if (found === undefined) return record;
  if (record.kind === "v2") return { ...record, path: found };
  return {
    ...record,
    directories: record.directories.map((each) =>
      each.controllers === "" ? { ...each, path: found } : each,
    ),
  };
}

function isDivided(path: string): boolean {
  try {
    return readText(`${path}/cgroup.subtree_control`).trim() !== "";
  } catch (error) {
    // Who enters it finds out that it is gone.
    if (isGone(error)) return false;
    throw error;
  }
}

/** The cgroup beneath one that a process is in; its path, or undefined. */
function find(directory: Descriptor, path: string, pid: number): string | undefined {
  for (const { name, type } of listDirectory(directory.fd)) {
    if (type !== "directory") continue;
    try {
      using child = openFile(name, O.RDONLY | O.DIRECTORY | O.NOFOLLOW, 0, directory.fd);
      const inside = `${path}/${name}`;
      const found = readPids(child.fd).includes(pid) ? inside : find(child, inside, pid);
      if (found !== undefined) return found;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return undefined;
}
