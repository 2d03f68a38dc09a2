import { IOPRIO_CLASS, IOPRIO_CLASS_SHIFT, SCHED, SCHED_FLAG } from "../../../ffi/constants/scheduling.ts";
import { maskOf, readNumberList } from "../../spec/number-list.ts";
import type { ExecCpuAffinity, IoPriority, Scheduler } from "../../spec/types.ts";

/** What sched_setattr(2) is to set; a field that the policy does not have is 0. */
export interface PlannedScheduler {
  /** SCHED.* */
  readonly policy: number;
  /** SCHED_FLAG.* or-ed. */
  readonly flags: number;
  readonly nice: number;
  readonly priority: number;
  /** Nanoseconds, as the next two. */
  readonly runtime: bigint;
  readonly deadline: bigint;
  readonly period: bigint;
}

export interface PlannedScheduling {
  /** null leaves the caller's. */
  readonly scheduler: PlannedScheduler | null;
  /** Value of ioprio_set(2); 0 leaves the caller's. */
  readonly ioPriority: number;
}

/** Only these have a nice value. sched(7). */
const nicePolicies: readonly string[] = ["SCHED_OTHER", "SCHED_BATCH"];

/** @param scheduler process.scheduler, whose values fit its policy: see src/rules/scheduling.ts */
export function planScheduling(
  scheduler: Scheduler | undefined,
  ioPriority: IoPriority | undefined,
): { scheduling: PlannedScheduling; warnings: readonly string[] } {
  const idleNice = scheduler?.nice && !nicePolicies.includes(scheduler.policy);
  return {
    scheduling: {
      scheduler: scheduler ? planScheduler(scheduler) : null,
      ioPriority: ioPriority ? planIoPriority(ioPriority) : 0,
    },
    warnings: idleNice ? [`process.scheduler.nice has no effect with ${scheduler.policy}`] : [],
  };
}

function planScheduler(scheduler: Scheduler): PlannedScheduler {
  const { policy, nice = 0, priority = 0, flags = [] } = scheduler;
  const { runtime = 0n, deadline = 0n, period = 0n } = scheduler;
  return {
    policy: numberIn(SCHED, policy.replace("SCHED_", "")),
    flags: flags.reduce((all, flag) => all | numberIn(SCHED_FLAG, flag.replace("SCHED_FLAG_", "")), 0),
    nice,
    priority,
    runtime,
    deadline,
    period,
  };
}

function planIoPriority({ class: name, priority }: IoPriority): number {
  const number = numberIn(IOPRIO_CLASS, name.replace("IOPRIO_CLASS_", ""));
  return (number << IOPRIO_CLASS_SHIFT) | priority;
}

function numberIn(table: Readonly<Record<string, number>>, name: string): number {
  return table[name] ?? 0;
}

/** Masks of CPUs for a process that `exec` adds; empty ones set nothing. sched_setaffinity(2). */
export interface PlannedAffinity {
  /** Before it is in the container's cgroup. */
  readonly initial: Uint8Array;
  /** From then on. */
  readonly final: Uint8Array;
}

const noMask = new Uint8Array();
/** More CPUs than any kernel can have: whatever the cgroup allows. */
const everyCpu = new Uint8Array(1024).fill(0xff);

/**
 * @param affinity process.execCPUAffinity; its lists have been read by the rules. Without a final one the process gets the
 * container's own CPUs, so an initial one must not last
 */
export function planAffinity({ initial = "", final = "" }: ExecCpuAffinity): PlannedAffinity {
  const first = maskOfList(initial);
  const last = maskOfList(final);
  return { initial: first, final: last.length === 0 && first.length > 0 ? everyCpu : last };
}

function maskOfList(list: string): Uint8Array {
  const ranges = readNumberList(list) ?? [];
  return ranges.length === 0 ? noMask : maskOf(ranges);
}
