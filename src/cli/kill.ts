import { defineCommand } from "citty";
import { killContainer } from "../container/kill.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import type { Session } from "./globals.ts";
import { parseSignal } from "./signal.ts";

export const command = defineCommand({
  meta: { name: "kill", description: "send a signal to a container" },
  args: {
    id: idArg,
    signal: {
      type: "positional",
      required: false,
      default: "SIGTERM",
      valueHint: "<signal>",
      description: "name or number of the signal",
    },
    all: { type: "boolean", alias: "a", description: "send it to every process of the container" },
  },
  run({ args, data }) {
    const { globals, log }: Session = data;
    killContainer({
      root: stateRoot(globals.root, false),
      id: args.id,
      signal: parseSignal(args.signal),
      all: args.all === true,
      log,
    });
  },
});
