import { words } from "./words.ts";

/** Size of struct sched_attr with utilization clamps, Linux 5.3. */
export const SCHED_ATTR_SIZE = 56;

/** What sched_setattr(2) sets. */
export interface SchedAttr {
  /** SCHED.* */
  readonly policy: number;
  /** SCHED_FLAG.* or-ed. */
  readonly flags: number;
  /** -20 to 19. */
  readonly nice: number;
  readonly priority: number;
  /** Nanoseconds, as the next two. */
  readonly runtime: bigint;
  readonly deadline: bigint;
  readonly period: bigint;
}

/** struct sched_attr, include/uapi/linux/sched/types.h, with clamps of 0. */
export function schedAttr(attr: SchedAttr): Uint8Array {
  const { policy, flags, nice, priority, runtime, deadline, period } = attr;
  return words(pair(SCHED_ATTR_SIZE, policy), flags, pair(nice, priority), runtime, deadline, period, 0);
}

/** Two fields of 32 bits. */
function pair(low: number, high: number): bigint {
  return BigInt(low >>> 0) + (BigInt(high) << 32n);
}
