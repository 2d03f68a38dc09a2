import type { Memory } from "../../../spec/types.ts";
import { dispensable, isSet, type Limit, limit } from "../limit.ts";

const path = "linux.resources.memory";

/** Documentation/admin-guide/cgroup-v1/memory.rst. `memory.memsw` is there when the kernel accounts swap. */
export function limitMemory(memory: Memory): Limit[] {
  const limits: Limit[] = [];
  // Linux 5.11 accounts so always, and takes the word as before.
  if (memory.useHierarchy) {
    limits.push(dispensable(limit("memory.use_hierarchy", 1, `${path}.useHierarchy`)));
  }
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
  limits.push(...limitKernel(memory));
  if (memory.swappiness !== undefined) {
    limits.push(limit("memory.swappiness", memory.swappiness, `${path}.swappiness`));
  }
  if (memory.disableOOMKiller) limits.push(limit("memory.oom_control", 1, `${path}.disableOOMKiller`));
  // checkBeforeUpdate asks for nothing: the kernel itself refuses a limit below what is used.
  return limits;
}

/** Linux 5.16 and later take a limit of kernel memory and forget it, or refuse it. */
function limitKernel({ kernel, kernelTCP }: Memory): Limit[] {
  const limits: Limit[] = [];
  const verified = (file: string, value: bigint, key: string) =>
    limits.push({ ...limit(file, value, `${path}.${key}`), verified: value > 0n });
  if (isSet(kernel)) verified("memory.kmem.limit_in_bytes", kernel, "kernel");
  if (isSet(kernelTCP)) verified("memory.kmem.tcp.limit_in_bytes", kernelTCP, "kernelTCP");
  return limits;
}
