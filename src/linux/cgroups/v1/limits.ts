import type { Resources } from "../../../spec/types.ts";
import type { Limit } from "../limit.ts";
import type { ControllerLimits } from "../request.ts";
import { limitCpu } from "./cpu.ts";
import { limitCpuset } from "./cpuset.ts";
import { limitMemory } from "./memory.ts";
import { limitPids } from "./pids.ts";

/** Every limit of config.json in the terms of version 1, by controller; controllers without one are left out. */
export function limitsV1({ memory, cpu, pids }: Resources): ControllerLimits[] {
  const found: ControllerLimits[] = [];
  if (memory) add(found, "memory", limitMemory(memory));
  if (cpu) add(found, "cpuset", limitCpuset(cpu));
  if (cpu) add(found, "cpu", limitCpu(cpu));
  if (pids) add(found, "pids", limitPids(pids));
  return found;
}

/** Adds the limits of a controller, if there are any. */
export function add(all: ControllerLimits[], controller: string, limits: readonly Limit[]): void {
  if (limits.length > 0) all.push({ controller, limits });
}
