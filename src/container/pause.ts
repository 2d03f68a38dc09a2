import { type CgroupRecord, readCgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { freezeCgroup, thawCgroup } from "../linux/cgroups/freeze.ts";
import { StateError } from "../state/error.ts";
import type { StateRecord } from "../state/record.ts";
import { load, openContainer } from "../state/store.ts";
import type { ContainerOptions } from "./options.ts";
import { statusOf } from "./state.ts";

/**
 * `pause`: stops every process of a container, started or not, until `resume`.
 * Throws StateError "missing"; "conflict" when the container is not running, has no cgroup, or cannot be stopped: then it
 * goes on. SyscallError.
 */
export function pauseContainer({ root, id }: ContainerOptions): void {
  using directory = openContainer(root, id);
  const record = load(root, id, directory);
  const status = statusOf(root, record);
  if (status === "stopped") throw new StateError("conflict", `container not running: "${id}"`);
  if (status === "paused") throw new StateError("conflict", `container "${id}" is paused already`);
  const cgroup = cgroupOf(record);
  let stopped = false;
  try {
    stopped = freezeCgroup(cgroup);
  } finally {
    if (!stopped) thawCgroup(cgroup);
  }
  if (stopped) return;
  throw new StateError(
    "conflict",
    `container "${id}" could not be paused: its cgroup has no freezer, or a process of it waits for a device; it goes on`,
  );
}

/**
 * `resume`: lets the processes of a paused container go on.
 * Throws StateError "missing"; "conflict" when the container is not paused. SyscallError.
 */
export function resumeContainer({ root, id }: ContainerOptions): void {
  using directory = openContainer(root, id);
  const record = load(root, id, directory);
  if (statusOf(root, record) !== "paused") {
    throw new StateError("conflict", `container not paused: "${id}"`);
  }
  thawCgroup(cgroupOf(record));
}

function cgroupOf({ id, cgroup }: StateRecord): CgroupRecord {
  const found = readCgroupRecord(cgroup);
  if (found) return found;
  throw new StateError(
    "conflict",
    `container "${id}" cannot be paused: it has no cgroup of its own, without which its processes are not known`,
  );
}
