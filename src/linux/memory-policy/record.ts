import type { Program } from "../../../ffi/program/program.ts";
import type { PlannedMemoryPolicy } from "./plan.ts";

/**
 * Sets from which nodes the process's memory comes; it is kept across execve(2) and by children. When the cgroup has its
 * limits, because the kernel takes nodes for those that the process may use then. set_mempolicy(2).
 */
export function recordMemoryPolicy(program: Program, { mode, nodes }: PlannedMemoryPolicy): void {
  program.because("linux.memoryPolicy");
  // The kernel takes the number of bits for one more than there are: get_nodes() in mm/mempolicy.c.
  if (nodes.length === 0) program.set_mempolicy(mode, null, 0);
  else program.set_mempolicy(mode, nodes, 8 * nodes.length + 1);
}
