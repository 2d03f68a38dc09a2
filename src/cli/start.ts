import { defineCommand } from "citty";
import { startContainer } from "../container/start.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import type { Session } from "./globals.ts";

export const command = defineCommand({
  meta: { name: "start", description: "run the program of a created container" },
  args: { id: idArg },
  run({ args, data }) {
    const { globals, log }: Session = data;
    return startContainer({
      root: stateRoot(globals.root, false),
      id: args.id,
      log,
      notifySocket: process.env.NOTIFY_SOCKET || undefined,
    });
  },
});
