import { SpecError } from "../../../spec/error.ts";
import type { Memory } from "../../../spec/types.ts";
import { dispensable, isSet, type Limit, limit, orMax } from "../limit.ts";

const path = "linux.resources.memory";

/** Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files". */
export function limitMemory(memory: Memory): Limit[] {
  refuse("swappiness", memory.swappiness !== undefined);
  refuse("disableOOMKiller", memory.disableOOMKiller);
  refuseKernel("kernel", memory.kernel);
  refuseKernel("kernelTCP", memory.kernelTCP);
  // useHierarchy asks for nothing: version 2 always accounts so.
  const limits = limitSwap(memory);
  if (isSet(memory.limit)) {
    const most = limit("memory.max", orMax(memory.limit), `${path}.limit`);
    limits.push(memory.checkBeforeUpdate ? { ...most, usage: ["memory.current"] } : most);
  }
  if (isSet(memory.reservation)) {
    limits.push(limit("memory.low", orMax(memory.reservation), `${path}.reservation`));
  }
  return limits;
}

function refuse(key: keyof Memory, asked: boolean | undefined): void {
  if (asked) throw new SpecError(`${path}.${key}`, "has no counterpart in cgroup v2, which this machine has");
}

function refuseKernel(key: "kernel" | "kernelTCP", bytes: bigint | undefined): void {
  if (!isSet(bytes) || bytes < 0n) return;
  throw new SpecError(
    `${path}.${key}`,
    `has no counterpart in cgroup v2, which this machine has: leave it out, ${path}.limit counts the kernel's memory, too`,
  );
}

/** `swap` counts memory and swap together, as version 1 does; version 2 counts swap alone. */
function limitSwap({ limit: most = 0n, swap = 0n }: Memory): Limit[] {
  const property = `${path}.swap`;
  // As in version 1, where a limit on both would go on limiting memory that is to be unlimited.
  if (swap < 0n || (swap === 0n && most < 0n)) {
    return [dispensable(limit("memory.swap.max", "max", property))];
  }
  if (swap === 0n) return [];
  if (most === 0n) {
    throw new SpecError(
      property,
      `is ${swap}: cgroup v2 limits swap alone, so that ${path}.limit must be given, too`,
    );
  }
  const alone = most < 0n ? swap : swap - most;
  if (alone < 0n) {
    throw new SpecError(
      property,
      `is ${swap}: it is memory and swap, and so at least the limit of memory, ${most}`,
    );
  }
  const limited = limit("memory.swap.max", alone, property);
  // A kernel without swap accounting has no swap to give.
  return [alone === 0n ? dispensable(limited) : limited];
}
