import type { Verbs } from "./verb.ts";

/** The commands that callers run most, several times a second, which load nothing that they do not need. */
export const hotVerbs = {
  start: { description: "run the program of a created container", load: () => import("./start.ts") },
  state: { description: "print the state of a container as JSON", load: () => import("./state.ts") },
  kill: { description: "send a signal to a container", load: () => import("./kill.ts") },
  delete: { description: "remove a container and what it holds", load: () => import("./delete.ts") },
} satisfies Verbs;
