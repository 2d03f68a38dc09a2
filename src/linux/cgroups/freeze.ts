import { readText, writeValue } from "../../../ffi/file.ts";
import { type CgroupRecord, controllerPath, unifiedPath } from "./cgroup-record.ts";
import { awaitEvent, pause } from "./wait.ts";

/** How many milliseconds freezing may take: a process in the middle of a slow disk access is not stopped before its end. */
const patience = 1000;

/**
 * Stops every process of a container until it is thawed. Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst;
 * cgroup-v2.rst, "cgroup.freeze" (Linux 5.2).
 * Returns whether all are stopped: false when that takes too long, or the machine has no freezer. Throws SyscallError.
 */
export function freezeCgroup(record: CgroupRecord): boolean {
  const freezer = controllerPath(record, "freezer");
  if (freezer !== undefined) return freezeV1(freezer);
  const unified = unifiedPath(record);
  if (unified === undefined) return false;
  writeValue(`${unified}/cgroup.freeze`, "1");
  return awaitEvent(unified, "frozen 1", patience);
}

/** Lets a container's processes go on. Throws SyscallError. */
export function thawCgroup(record: CgroupRecord): void {
  const freezer = controllerPath(record, "freezer");
  if (freezer !== undefined) {
    writeValue(`${freezer}/freezer.state`, "THAWED");
    return;
  }
  const unified = unifiedPath(record);
  if (unified !== undefined) writeValue(`${unified}/cgroup.freeze`, "0");
}

function freezeV1(path: string): boolean {
  for (let waited = 0; waited < patience; waited++) {
    // Each time: a process that was made meanwhile is stopped by the next attempt only.
    writeValue(`${path}/freezer.state`, "FROZEN");
    if (readText(`${path}/freezer.state`).trim() === "FROZEN") return true;
    pause(1);
  }
  return false;
}
