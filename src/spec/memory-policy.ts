/** runtime-spec, config-linux.md, "Memory policy" (set_mempolicy(2)). */
import type * as v from "valibot";
import { list, object, once, optional, text, word } from "./values.ts";

export const memoryPolicySchema = once(() =>
  object({
    mode: word(
      "MPOL_DEFAULT",
      "MPOL_BIND",
      "MPOL_INTERLEAVE",
      "MPOL_WEIGHTED_INTERLEAVE",
      "MPOL_PREFERRED",
      "MPOL_PREFERRED_MANY",
      "MPOL_LOCAL",
    ),
    nodes: optional(text()),
    flags: optional(list(word("MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"))),
  }),
);

export type MemoryPolicy = v.InferOutput<ReturnType<typeof memoryPolicySchema>>;
