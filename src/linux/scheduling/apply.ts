import { IOPRIO_WHO } from "../../../ffi/constants/scheduling.ts";
import { libc } from "../../../ffi/libc.ts";
import { schedAttr } from "../../../ffi/structs/sched-attr.ts";
import { SpecError } from "../../spec/error.ts";
import type { PlannedScheduling } from "./plan.ts";

/**
 * Sets how another process gets the processor and the disks; what it executes and makes later keeps it. From outside,
 * because only the machine's own CAP_SYS_NICE counts, which root of a user namespace does not have. When the process is in
 * its cgroup and has its limits: both decide over what is permitted. sched_setattr(2), ioprio_set(2).
 * @throws SpecError with the SyscallError as its cause
 */
export function applyScheduling({ scheduler, ioPriority }: PlannedScheduling, pid: number): void {
  if (scheduler) setting("process.scheduler", () => libc.sched_setattr(pid, schedAttr(scheduler), 0));
  if (ioPriority !== 0)
    setting("process.ioPriority", () => libc.ioprio_set(IOPRIO_WHO.PROCESS, pid, ioPriority));
}

function setting(path: string, set: () => unknown): void {
  try {
    set();
  } catch (error) {
    throw new SpecError(path, "could not be set", { cause: error });
  }
}
