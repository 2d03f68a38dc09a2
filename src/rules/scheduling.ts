/** runtime-spec, config.md: process.scheduler; sched_setattr(2) for what goes with which policy. */
import { SpecError, wrong } from "../spec/error.ts";
import type { Config } from "../spec/types.ts";

export function schedulerFitsPolicy(config: Config): void {
  const scheduler = config.process?.scheduler;
  if (scheduler === undefined) return;
  const { policy, nice = 0, priority = 0 } = scheduler;
  const path = "process.scheduler";
  if (nice < -20 || nice > 19) throw wrong(`${path}.nice`, nice, "a number from -20 to 19");
  if (priority !== 0 && policy !== "SCHED_FIFO" && policy !== "SCHED_RR") {
    throw new SpecError(
      `${path}.priority`,
      `does not go with ${policy}: only SCHED_FIFO and SCHED_RR have one`,
    );
  }
  for (const key of ["runtime", "deadline", "period"] as const) {
    if (scheduler[key] && policy !== "SCHED_DEADLINE") {
      throw new SpecError(`${path}.${key}`, `does not go with ${policy}: only SCHED_DEADLINE has one`);
    }
  }
}
