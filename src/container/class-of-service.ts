import { ERRNO } from "../../ffi/constants/errno.ts";
import { SyscallError } from "../../ffi/error.ts";
import { type Descriptor, exists, readText, writeFile } from "../../ffi/file.ts";
import type { CgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { processesOf } from "../linux/cgroups/processes.ts";
import { describeIntelRdt, enterIntelRdt } from "../linux/intel-rdt/apply.ts";
import { type IntelRdtRecord, joinIntelRdt, leaveIntelRdt } from "../linux/intel-rdt/groups.ts";
import type { PlannedIntelRdt } from "../linux/intel-rdt/plan.ts";
import { files } from "../state/record.ts";

/**
 * Puts init into its class of service. What is about to be made is told first, for whoever cleans up after a bunc that was
 * killed. Throws SpecError, SyscallError; then nothing is left.
 * @param directory the container's directory
 */
export function enterClass(plan: PlannedIntelRdt, init: number, directory: Descriptor): IntelRdtRecord {
  const path = { dirfd: directory.fd, path: files.intelRdt };
  writeFile(path, JSON.stringify(describeIntelRdt(plan)), 0o600);
  return enterIntelRdt(plan, init);
}

/** The same for a container that has several processes from the beginning: a restored one. */
export function enterRestored(
  plan: PlannedIntelRdt,
  init: number,
  cgroup: CgroupRecord | null,
  directory: Descriptor,
): IntelRdtRecord {
  const record = enterClass(plan, init, directory);
  for (const pid of cgroup ? processesOf(cgroup) : []) joinWhileThere(record, pid);
  return record;
}

function joinWhileThere(record: IntelRdtRecord, pid: number): void {
  try {
    joinIntelRdt(record, pid);
  } catch (error) {
    // It has ended meanwhile.
    if (!(error instanceof SyscallError) || error.errno !== ERRNO.ESRCH) throw error;
  }
}

/** Removes what enterClass has told of, when there is no record of the container. Throws SyscallError. */
export function leaveAnnouncedClass(directory: Descriptor): void {
  const path = { dirfd: directory.fd, path: files.intelRdt };
  if (!exists(path)) return;
  let record: IntelRdtRecord;
  try {
    record = JSON.parse(readText(path));
  } catch {
    // Written halfway: then nothing was made yet.
    return;
  }
  leaveIntelRdt(record);
}
