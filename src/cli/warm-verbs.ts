import type { Verbs } from "./verb.ts";

/** The commands that make containers: callers wait for them. */
export const warmVerbs = {
  create: { description: "create a container", load: () => import("./create.ts") },
  run: { description: "create and start a container, and wait for it", load: () => import("./run.ts") },
} satisfies Verbs;
