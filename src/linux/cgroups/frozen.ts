// `state` loads this file, and of the room nothing else but the record.
import { O } from "../../../ffi/constants/file.ts";
import { Descriptor } from "../../../ffi/file.ts";
import { attempt } from "../../../ffi/libc.ts";
import { decodeText } from "../../../ffi/memory.ts";
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
  // Not by openFile: that a cgroup is gone is no error, and to describe one takes 2 ms.
  const fd = attempt.openat(-100, path, O.RDONLY | O.CLOEXEC, 0);
  if (fd < 0) return false;
  using file = new Descriptor(fd);
  const bytes = new Uint8Array(16);
  const length = attempt.read(file.fd, bytes, bytes.length);
  return length > 0 && decodeText(bytes, length).trim() === word;
}
