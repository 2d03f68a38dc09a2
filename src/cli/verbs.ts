import type { SubCommandsDef } from "citty";

// citty's own type of a command whose arguments are not known here.
type Command = Exclude<Awaited<SubCommandsDef[string]>, (...args: never[]) => unknown>;

interface Verb {
  /** For the list of commands: the rest of a command is loaded only to run it. */
  readonly description: string;
  load(): Promise<{ readonly command: Command }>;
}

/** Every command, in the order of the help. */
export const verbs: Readonly<Record<string, Verb>> = {
  create: { description: "create a container", load: () => import("./create.ts") },
  start: { description: "run the program of a created container", load: () => import("./start.ts") },
  run: { description: "create and start a container, and wait for it", load: () => import("./run.ts") },
  state: { description: "print the state of a container as JSON", load: () => import("./state.ts") },
  kill: { description: "send a signal to a container", load: () => import("./kill.ts") },
  delete: { description: "remove a container and what it holds", load: () => import("./delete.ts") },
  list: { description: "list the containers", load: () => import("./list.ts") },
  spec: { description: "write a config.json to begin with", load: () => import("./spec.ts") },
  version: { description: "print the version", load: () => import("./version.ts") },
  help: { description: "print help, of a command when it is named", load: () => import("./help.ts") },
};
