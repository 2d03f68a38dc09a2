import type { Resources } from "../../../spec/types.ts";
import type { ControllerLimits } from "../request.ts";
import { limitCpuset } from "../v1/cpuset.ts";
import { add } from "../v1/limits.ts";
import { limitPids } from "../v1/pids.ts";
import { limitCpu } from "./cpu.ts";
import { limitMemory } from "./memory.ts";
import { limitUnified } from "./unified.ts";

/**
 * Every limit of config.json in the terms of version 2, by controller; controllers without one are left out. The files
 * that `unified` names come last, so that they win. Files of cgroups themselves have the controller "cgroup".
 */
export function limitsV2({ memory, cpu, pids, unified }: Resources): ControllerLimits[] {
  const found: ControllerLimits[] = [];
  if (memory) add(found, "memory", limitMemory(memory));
  if (cpu) add(found, "cpuset", limitCpuset(cpu));
  if (cpu) add(found, "cpu", limitCpu(cpu));
  if (pids) add(found, "pids", limitPids(pids));
  for (const limit of unified ? limitUnified(unified) : []) {
    add(found, limit.file.slice(0, limit.file.indexOf(".")), [limit]);
  }
  return found;
}
