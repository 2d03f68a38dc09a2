import type { Memory } from "../../../spec/types.ts";
import { dispensable, isSet, type Limit, limit } from "../limit.ts";

const path = "linux.resources.memory";

/** Documentation/admin-guide/cgroup-v1/memory.rst. `memory.memsw` is there when the kernel accounts swap. */
export function limitMemory(memory: Memory): Limit[] {
  const limits: Limit[] = [];
  if (isSet(memory.limit)) limits.push(limit("memory.limit_in_bytes", memory.limit, `${path}.limit`));
  // Its limit includes memory, so that it would go on limiting memory that is to be unlimited.
  const swap = !isSet(memory.swap) && memory.limit === -1n ? -1n : memory.swap;
  if (isSet(swap)) {
    const both = limit("memory.memsw.limit_in_bytes", swap, `${path}.swap`);
    limits.push(swap < 0n ? dispensable(both) : both);
  }
  if (isSet(memory.reservation)) {
    limits.push(limit("memory.soft_limit_in_bytes", memory.reservation, `${path}.reservation`));
  }
  if (memory.swappiness !== undefined) {
    limits.push(limit("memory.swappiness", memory.swappiness, `${path}.swappiness`));
  }
  if (memory.disableOOMKiller) limits.push(limit("memory.oom_control", 1, `${path}.disableOOMKiller`));
  return limits;
}
