import type { Cpu } from "../../../spec/types.ts";
import { isSet, type Limit, limit } from "../limit.ts";

const path = "linux.resources.cpu";

/** Documentation/scheduler/sched-bwc.rst and sched-rt-group.rst; cpu.cfs_burst_us is of Linux 5.14, cpu.idle of 5.15. */
export function limitCpu(cpu: Cpu): Limit[] {
  const limits: Limit[] = [];
  if (isSet(cpu.shares)) limits.push(limit("cpu.shares", cpu.shares, `${path}.shares`));
  if (isSet(cpu.period)) limits.push(limit("cpu.cfs_period_us", cpu.period, `${path}.period`));
  if (isSet(cpu.quota)) limits.push(limit("cpu.cfs_quota_us", cpu.quota, `${path}.quota`));
  if (cpu.burst !== undefined) limits.push(limit("cpu.cfs_burst_us", cpu.burst, `${path}.burst`));
  if (isSet(cpu.realtimePeriod)) {
    limits.push(limit("cpu.rt_period_us", cpu.realtimePeriod, `${path}.realtimePeriod`));
  }
  if (isSet(cpu.realtimeRuntime)) {
    limits.push(limit("cpu.rt_runtime_us", cpu.realtimeRuntime, `${path}.realtimeRuntime`));
  }
  // After the shares, which an idle cgroup refuses.
  if (cpu.idle !== undefined) limits.push(limit("cpu.idle", cpu.idle, `${path}.idle`));
  return limits;
}
