import type { Resources } from "../../../spec/types.ts";
import type { ControllerLimits } from "../request.ts";
import { limitCpuset } from "../v1/cpuset.ts";
import { limitPids } from "../v1/pids.ts";
import { limitCpu } from "./cpu.ts";
import { limitMemory } from "./memory.ts";
import { limitUnified } from "./unified.ts";

/**
 * Every limit of config.json in the terms of version 2, by controller; controllers without one are left out. The files
 * that `unified` names come last, so that they win. Files of cgroups themselves have the controller "cgroup".
 */
export function limitsV2({ memory, cpu, pids, unified }: Resources): ControllerLimits[] {
  return [
    { controller: "memory", limits: memory ? limitMemory(memory) : [] },
    { controller: "cpuset", limits: cpu ? limitCpuset(cpu) : [] },
    { controller: "cpu", limits: cpu ? limitCpu(cpu) : [] },
    { controller: "pids", limits: pids ? limitPids(pids) : [] },
    ...limitUnified(unified ?? {}).map((limit) => ({
      controller: limit.file.slice(0, limit.file.indexOf(".")),
      limits: [limit],
    })),
  ].filter(({ limits }) => limits.length > 0);
}
