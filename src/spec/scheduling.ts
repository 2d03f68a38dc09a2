/** runtime-spec, config.md: process.scheduler, process.ioPriority, process.execCPUAffinity. */
import type * as v from "valibot";
import { int32, list, object, once, optional, text, uint64, whole, word } from "./values.ts";

export const schedulerSchema = once(() =>
  object({
    policy: word(
      "SCHED_OTHER",
      "SCHED_FIFO",
      "SCHED_RR",
      "SCHED_BATCH",
      "SCHED_ISO",
      "SCHED_IDLE",
      "SCHED_DEADLINE",
    ),
    nice: optional(int32()),
    priority: optional(int32()),
    flags: optional(
      list(
        word(
          "SCHED_FLAG_RESET_ON_FORK",
          "SCHED_FLAG_RECLAIM",
          "SCHED_FLAG_DL_OVERRUN",
          "SCHED_FLAG_KEEP_POLICY",
          "SCHED_FLAG_KEEP_PARAMS",
          "SCHED_FLAG_UTIL_CLAMP_MIN",
          "SCHED_FLAG_UTIL_CLAMP_MAX",
        ),
      ),
    ),
    runtime: optional(uint64()),
    deadline: optional(uint64()),
    period: optional(uint64()),
  }),
);

export const ioPrioritySchema = once(() =>
  object({
    class: word("IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"),
    priority: whole(0, 7),
  }),
);

export const execCpuAffinitySchema = once(() =>
  object({ initial: optional(text()), final: optional(text()) }),
);

export type Scheduler = v.InferOutput<ReturnType<typeof schedulerSchema>>;
export type IoPriority = v.InferOutput<ReturnType<typeof ioPrioritySchema>>;
export type ExecCpuAffinity = v.InferOutput<ReturnType<typeof execCpuAffinitySchema>>;
