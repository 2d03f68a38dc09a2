// `state` loads this file, and of the room nothing else but the record.
import { attemptText } from "../../../ffi/file.ts";
import { type CgroupRecord, controllerPath, readCgroupRecord, unifiedPath } from "./cgroup-record.ts";

/**
 * Whether a container's processes were stopped by freezeCgroup, or by somebody like it; false where there is no freezer.
 * Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst; cgroup-v2.rst, "cgroup.freeze" (Linux 5.2).
 */
export function isFrozen(record: CgroupRecord): boolean {
  const freezer = controllerPath(record, "freezer");
  if (freezer !== undefined) return reads(`${freezer}/freezer.state`, "FROZEN");
  const unified = unifiedPath(record);
  return unified !== undefined && reads(`${unified}/cgroup.freeze`, "1");
}

/**
 * The same of a container's record.
 * @param state a CgroupRecord, as state.json has it; null when the container has none
 */
export function isPaused(state: unknown): boolean {
  const record = readCgroupRecord(state);
  return record !== null && isFrozen(record);
}

/** Whether a file's one word is this; false when it cannot be read. */
function reads(path: string, word: string): boolean {
  return attemptText(path, 16) === `${word}\n`;
}
