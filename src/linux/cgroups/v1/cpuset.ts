import type { Cpu } from "../../../spec/types.ts";
import { type Limit, limit } from "../limit.ts";

/** Documentation/admin-guide/cgroup-v1/cpusets.rst. Both files have the same names in version 2. */
export function limitCpuset(cpu: Cpu): Limit[] {
  const limits: Limit[] = [];
  if (cpu.cpus) limits.push(limit("cpuset.cpus", cpu.cpus, "linux.resources.cpu.cpus"));
  if (cpu.mems) limits.push(limit("cpuset.mems", cpu.mems, "linux.resources.cpu.mems"));
  return limits;
}
