// `state` loads this file, and of the room nothing else but the record.
import { attemptText } from "../../../ffi/file.ts";
import { type CgroupRecord, controllerPath, readCgroupRecord, unifiedPath } from "./cgroup-record.ts";

/**
 * Whether a container's processes were stopped by freezeCgroup, or by somebody like it; false where there is no freezer.
 * Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst; cgroup-v2.rst, "cgroup.freeze" (Linux 5.2).
 */
export function isFrozen(record: CgroupRecord): boolean {
  const path = freezerFile(record);
  if (path === undefined) return false;
  const word = attemptText(path, 16);
  return word === "FROZEN\n" || word === "1\n";
}

/** The file that says "FROZEN" (version 1) or "1" (version 2) while they are stopped; undefined where there is no freezer. */
export function freezerFile(record: CgroupRecord): string | undefined {
  const freezer = controllerPath(record, "freezer");
  if (freezer !== undefined) return `${freezer}/freezer.state`;
  const unified = unifiedPath(record);
  return unified === undefined ? undefined : `${unified}/cgroup.freeze`;
}

/**
 * The same of a container's record.
 * @param state a CgroupRecord, as state.json has it; null when the container has none
 */
export function isPaused(state: unknown): boolean {
  const record = readCgroupRecord(state);
  return record !== null && isFrozen(record);
}
