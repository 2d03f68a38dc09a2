/** runtime-spec, config.md: process.scheduler, process.execCPUAffinity; sched_setattr(2) and sched(7) for what goes with which policy. */
import { SpecError, wrong } from "../spec/error.ts";
import { readNumberList } from "../spec/number-list.ts";
import type { Config, Scheduler } from "../spec/types.ts";

const path = "process.scheduler";

export function schedulerFitsPolicy(config: Config): void {
  const scheduler = config.process?.scheduler;
  if (scheduler === undefined) return;
  const { policy, nice = 0 } = scheduler;
  if (policy === "SCHED_ISO") {
    throw new SpecError(`${path}.policy`, "is SCHED_ISO, which is reserved: no Linux kernel has it");
  }
  if (nice < -20 || nice > 19) throw wrong(`${path}.nice`, nice, "a number from -20 to 19");
  timesFit(scheduler);
  priorityFits(scheduler);
}

function isRealTime(policy: string): boolean {
  return policy === "SCHED_FIFO" || policy === "SCHED_RR";
}

/** With SCHED_FLAG_KEEP_PARAMS the process keeps the values that it has, and those of config.json are not looked at. */
function keepsValues({ flags = [] }: Scheduler): boolean {
  return flags.includes("SCHED_FLAG_KEEP_PARAMS");
}

function priorityFits(scheduler: Scheduler): void {
  const { policy, priority = 0 } = scheduler;
  if (priority !== 0 && !isRealTime(policy)) {
    throw new SpecError(
      `${path}.priority`,
      `does not go with ${policy}: only SCHED_FIFO and SCHED_RR have one`,
    );
  }
  if (isRealTime(policy) && !keepsValues(scheduler) && (priority < 1 || priority > 99)) {
    throw wrong(`${path}.priority`, priority, `a number from 1 to 99 with ${policy}`);
  }
}

function timesFit(scheduler: Scheduler): void {
  const { policy, runtime = 0n, deadline = 0n, period = 0n } = scheduler;
  if (policy !== "SCHED_DEADLINE") {
    for (const key of ["runtime", "deadline", "period"] as const) {
      if (!scheduler[key]) continue;
      throw new SpecError(`${path}.${key}`, `does not go with ${policy}: only SCHED_DEADLINE has one`);
    }
    return;
  }
  if (keepsValues(scheduler)) return;
  // __checkparam_dl() in kernel/sched/deadline.c.
  if (runtime < 1024n)
    throw wrong(`${path}.runtime`, runtime, "1024 nanoseconds or more with SCHED_DEADLINE");
  if (deadline < runtime) throw wrong(`${path}.deadline`, deadline, "no shorter than runtime");
  if (period !== 0n && period < deadline)
    throw wrong(`${path}.period`, period, "0 or no shorter than deadline");
}

export function affinityListsCpus(config: Config): void {
  const affinity = config.process?.execCPUAffinity;
  for (const key of ["initial", "final"] as const) {
    const list = affinity?.[key];
    if (list === undefined || readNumberList(list) !== undefined) continue;
    throw wrong(`process.execCPUAffinity.${key}`, list, "a list of CPUs, such as 0-3,7");
  }
}
