import { defineCommand } from "citty";
import { pauseContainer } from "../container/pause.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import type { Session } from "./globals.ts";

export const command = defineCommand({
  meta: { name: "pause", description: "stop every process of a container until it is resumed" },
  args: { id: idArg },
  run({ args, data }) {
    const { globals, log }: Session = data;
    pauseContainer({ root: stateRoot(globals.root, false), id: args.id, log });
  },
});
