import { command as remove } from "./delete.ts";
import { command as kill } from "./kill.ts";
import { command as start } from "./start.ts";
import { command as state } from "./state.ts";
import type { Verbs } from "./verb.ts";

/**
 * Every command, in the order of the help. Those that callers make most often are here already: to load one late takes
 * longer than to have them all, and they end before the event loop begins. The others come by import(), for require()
 * compiles 0.1 ms of the engine's own JavaScript.
 */
export const verbs: Verbs = {
  create: {
    description: "create a container",
    load: () => import("./create.ts"),
  },
  start: { description: "run the program of a created container", load: () => ({ command: start }) },
  run: {
    description: "create and start a container, and wait for it",
    load: () => import("./run.ts"),
  },
  exec: {
    description: "run a further process in a container",
    payload: "command",
    // As runc: smaller ones are the process's.
    failure: 255,
    load: () => import("./exec.ts"),
  },
  state: { description: "print the state of a container as JSON", load: () => ({ command: state }) },
  kill: { description: "send a signal to a container", load: () => ({ command: kill }) },
  delete: { description: "remove a container and what it holds", load: () => ({ command: remove }) },
  stop: {
    description: "the same as delete --force",
    load: () => import("./stop.ts"),
  },
  ps: {
    description: "list the processes of a container",
    payload: "arguments",
    load: () => import("./ps.ts"),
  },
  events: {
    description: "print what a container uses, and when memory lacks",
    load: () => import("./events.ts"),
  },
  update: {
    description: "change the limits of a container",
    load: () => import("./update.ts"),
  },
  mounts: {
    description: "add mounts to a container that is there already, or remove them",
    load: () => import("./mounts.ts"),
  },
  pause: {
    description: "stop every process of a container until it is resumed",
    load: () => import("./pause.ts"),
  },
  resume: {
    description: "let a paused container go on",
    load: () => import("./resume.ts"),
  },
  checkpoint: {
    description: "write the processes of a container to disk",
    load: () => import("./checkpoint.ts"),
  },
  restore: {
    description: "make a container again from what checkpoint has written",
    load: () => import("./restore.ts"),
  },
  list: {
    description: "list the containers",
    load: () => import("./list.ts"),
  },
  plan: {
    description: "print the system calls that create would have the container make",
    load: () => import("./plan.ts"),
  },
  spec: {
    description: "write a config.json to begin with",
    load: () => import("./spec.ts"),
  },
  features: {
    description: "print what bunc can do as JSON",
    load: () => import("./features.ts"),
  },
  completion: {
    description: "print a script that completes command lines in a shell",
    load: () => import("./completion.ts"),
  },
  version: {
    description: "print the version",
    load: () => import("./version.ts"),
  },
  help: {
    description: "print help, of a command when it is named",
    load: () => import("./help.ts"),
  },
};
