import { ERRNO } from "../../../../ffi/constants/errno.ts";
import { SyscallError } from "../../../../ffi/error.ts";
import { readText } from "../../../../ffi/file.ts";
import type { PlannedDirectory, PlannedWrite } from "../planned.ts";
import { writeLimits } from "../write.ts";

const runtime = "cpu.rt_runtime_us";

/**
 * Sets the budget of realtime processes before any process enters: none that is one already could otherwise. A new cgroup
 * has none, and none is given to those beneath it, so that those above which have none get the same.
 * Documentation/scheduler/sched-rt-group.rst.
 * @param writes of the cgroup itself: its period, then its budget
 * Throws SpecError that names the property which the kernel refused.
 */
export function giveRealtime({ path, mountpoint }: PlannedDirectory, writes: readonly PlannedWrite[]): void {
  const parts = path.slice(mountpoint.length).split("/").slice(1, -1);
  for (let depth = 1; depth <= parts.length; depth++) {
    const above = `${mountpoint}/${parts.slice(0, depth).join("/")}`;
    if (!hasNone(above)) continue;
    writeLimits(writes.map((each) => ({ ...each, file: above + each.file.slice(path.length) })));
  }
  writeLimits(writes);
}

function hasNone(directory: string): boolean {
  try {
    return readText(`${directory}/${runtime}`).trim() === "0";
  } catch (error) {
    // Without such groups in the kernel the cgroup itself lacks the file, too, and that is an error with a property.
    if (error instanceof SyscallError && error.errno === ERRNO.ENOENT) return false;
    throw error;
  }
}
