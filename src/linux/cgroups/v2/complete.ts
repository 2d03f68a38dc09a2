import { exists, readText } from "../../../../ffi/file.ts";
import type { Cpu, Memory, Resources } from "../../../spec/types.ts";
import { isSet } from "../limit.ts";

/**
 * Adds to a part of the limits what its files of version 2 need beside it: cpu.max is quota and period in one, and
 * memory.swap is counted from the limit. What is not given is what the cgroup has now. Throws SyscallError.
 */
export function complete(resources: Resources, path: string): Resources {
  const { cpu, memory } = resources;
  return {
    ...resources,
    ...(cpu && { cpu: completeCpu(cpu, path) }),
    ...(memory && { memory: completeMemory(memory, path) }),
  };
}

function completeCpu(cpu: Cpu, path: string): Cpu {
  if (isSet(cpu.quota) === isSet(cpu.period)) return cpu;
  const [quota = "max", period = "0"] = valuesOf(`${path}/cpu.max`);
  return isSet(cpu.quota) ? { ...cpu, period: BigInt(period) } : { ...cpu, quota: orNone(quota) };
}

function completeMemory(memory: Memory, path: string): Memory {
  if (!isSet(memory.swap) || memory.swap < 0n || isSet(memory.limit)) return memory;
  const [limit = "max"] = valuesOf(`${path}/memory.max`);
  return { ...memory, limit: orNone(limit) };
}

/** Empty where the controller is not on yet: then there is nothing to keep. */
function valuesOf(file: string): string[] {
  return exists(file) ? readText(file).trim().split(" ") : [];
}

function orNone(value: string): bigint {
  return value === "max" ? -1n : BigInt(value);
}
