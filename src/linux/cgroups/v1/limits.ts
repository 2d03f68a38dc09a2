import type { Resources } from "../../../spec/types.ts";
import type { ControllerLimits } from "../request.ts";
import { limitCpu } from "./cpu.ts";
import { limitCpuset } from "./cpuset.ts";
import { limitMemory } from "./memory.ts";
import { limitPids } from "./pids.ts";

/** Every limit of config.json in the terms of version 1, by controller; controllers without one are left out. */
export function limitsV1({ memory, cpu, pids }: Resources): ControllerLimits[] {
  return [
    { controller: "memory", limits: memory ? limitMemory(memory) : [] },
    { controller: "cpuset", limits: cpu ? limitCpuset(cpu) : [] },
    { controller: "cpu", limits: cpu ? limitCpu(cpu) : [] },
    { controller: "pids", limits: pids ? limitPids(pids) : [] },
  ].filter(({ limits }) => limits.length > 0);
}
