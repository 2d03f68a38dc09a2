import { MPOL, MPOL_F } from "../../../ffi/constants/scheduling.ts";
import { maskOf, readNumberList } from "../../spec/number-list.ts";
import type { MemoryPolicy } from "../../spec/types.ts";

/** The arguments of set_mempolicy(2). */
export interface PlannedMemoryPolicy {
  /** MPOL.* with MPOL_F.* */
  readonly mode: number;
  /** Mask of nodes; empty for none. */
  readonly nodes: Uint8Array;
}

/** @param policy linux.memoryPolicy, whose nodes and flags fit its mode: see src/rules/memory-policy.ts */
export function planMemoryPolicy({ mode, nodes = "", flags = [] }: MemoryPolicy): PlannedMemoryPolicy {
  const modes: Readonly<Record<string, number>> = MPOL;
  const bits: Readonly<Record<string, number>> = MPOL_F;
  const ranges = readNumberList(nodes) ?? [];
  return {
    mode: flags.reduce(
      (all, flag) => all | (bits[flag.slice("MPOL_F_".length)] ?? 0),
      modes[mode.slice("MPOL_".length)] ?? 0,
    ),
    nodes: ranges.length === 0 ? new Uint8Array() : maskOf(ranges),
  };
}
