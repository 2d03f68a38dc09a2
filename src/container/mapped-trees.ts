import type { Descriptor } from "../../ffi/file.ts";
import type { OpenedNamespace } from "../linux/namespaces/apply.ts";
import type { Plan } from "../plan/types.ts";

/** By the index of their mount. */
export type Trees = ReadonlyMap<number, Descriptor>;

const noTrees: Trees = new Map();
const noNumbers: ReadonlyMap<number, number> = new Map();

/** Opens the trees of mounts whose ids are mapped; nothing of them is loaded where there are none. */
export function openMappedTrees(
  plan: Plan,
  namespaces: readonly OpenedNamespace[],
  directory: Descriptor,
): Trees {
  for (const { idmap } of plan.mounts) {
    if (idmap.kind === "none") continue;
    const { openMappedMounts } = require("./mapped-mounts.ts") as typeof import("./mapped-mounts.ts");
    return openMappedMounts(plan, namespaces, directory);
  }
  return noTrees;
}

/** The numbers of their descriptors. */
export function numbersOf(trees: Trees): ReadonlyMap<number, number> {
  if (trees.size === 0) return noNumbers;
  return new Map([...trees].map(([index, { fd }]) => [index, fd]));
}
