import { defineCommand } from "citty";
import { resumeContainer } from "../container/pause.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import type { Session } from "./globals.ts";

export const command = defineCommand({
  meta: { name: "resume", description: "let a paused container go on" },
  args: { id: idArg },
  run({ args, data }) {
    const { globals, log }: Session = data;
    resumeContainer({ root: stateRoot(globals.root, false), id: args.id, log });
  },
});
