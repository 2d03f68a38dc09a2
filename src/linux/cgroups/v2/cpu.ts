import { SpecError } from "../../../spec/error.ts";
import type { Cpu } from "../../../spec/types.ts";
import { isSet, type Limit, limit, orMax } from "../limit.ts";

const path = "linux.resources.cpu";

/** Microseconds: the kernel's own period. */
const defaultPeriod = 100_000n;

/** Documentation/admin-guide/cgroup-v2.rst, "CPU Interface Files"; cpu.max.burst is of Linux 5.14, cpu.idle of 5.15. */
export function limitCpu(cpu: Cpu): Limit[] {
  refuseRealtime("realtimeRuntime", cpu.realtimeRuntime);
  refuseRealtime("realtimePeriod", cpu.realtimePeriod);
  const limits: Limit[] = [];
  if (isSet(cpu.shares)) limits.push(limit("cpu.weight", weightOf(cpu.shares), `${path}.shares`));
  if (isSet(cpu.quota) || isSet(cpu.period)) {
    const quota = isSet(cpu.quota) ? orMax(cpu.quota) : "max";
    const period = isSet(cpu.period) ? cpu.period : defaultPeriod;
    limits.push(limit("cpu.max", `${quota} ${period}`, path + keyOf(cpu)));
  }
  if (cpu.burst !== undefined) limits.push(limit("cpu.max.burst", cpu.burst, `${path}.burst`));
  // After the weight, which an idle cgroup refuses.
  if (cpu.idle !== undefined) limits.push(limit("cpu.idle", cpu.idle, `${path}.idle`));
  return limits;
}

/** Documentation/admin-guide/cgroup-v2.rst, "CPU": realtime processes are not controlled. */
function refuseRealtime(key: keyof Cpu, microseconds: bigint | undefined): void {
  if (!isSet(microseconds)) return;
  throw new SpecError(`${path}.${key}`, "has no counterpart in cgroup v2, which this machine has");
}

function keyOf({ quota, period }: Cpu): string {
  if (isSet(quota)) return isSet(period) ? "" : ".quota";
  return ".period";
}

/**
 * Shares of version 1 (2 to 262144, 1024 by default) as a weight of version 2 (1 to 10000, 100 by default): a quadratic
 * in the logarithm that maps both ends and the default onto each other. crun 1.23 and runc 1.3.2 have it, too
 * (crun issue 1721, opencontainers/cgroups pull request 20); the straight line used before gave the default a weight
 * of 39.
 */
export function weightOf(shares: bigint): number {
  if (shares <= 2n) return 1;
  if (shares >= 262144n) return 10_000;
  const power = Math.log2(Number(shares));
  return Math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34));
}
