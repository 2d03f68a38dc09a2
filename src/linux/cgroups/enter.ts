import { O } from "../../../ffi/constants/file.ts";
import { type Descriptor, openFile, writeValue } from "../../../ffi/file.ts";
import { type CgroupRecord, directoriesOf, unifiedPath } from "./cgroup-record.ts";

/**
 * Moves a process, with all its threads, into the container's cgroups. The kernel stops all forking for that, which can
 * take 10 ms and more: a process that is about to be made is better placed by openCgroup and recordEnterCgroup.
 * Throws SyscallError.
 */
export function enterCgroup(record: CgroupRecord, pid: number): void {
  for (const { path } of directoriesOf(record)) writeValue(`${path}/cgroup.procs`, String(pid));
}

/**
 * The directory of version 2, for CLONE_INTO_CGROUP (Linux 5.7): a process that is born there need not be moved.
 * undefined where there is none. Nobody else must inherit the descriptor (CVE-2024-21626). Throws SyscallError.
 */
export function openCgroup(record: CgroupRecord): Descriptor | undefined {
  const path = unifiedPath(record);
  return path === undefined ? undefined : openFile(path, O.PATH | O.DIRECTORY);
}
