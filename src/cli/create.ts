import { defineCommand } from "citty";
import { createContainer } from "../container/create.ts";
import { createArgs, createOptions } from "./container-args.ts";
import type { Session } from "./globals.ts";

export const command = defineCommand({
  meta: { name: "create", description: "create a container" },
  args: {
    ...createArgs,
    subreaper: { type: "boolean", default: true, negativeDescription: "accepted, without effect" },
  },
  run({ args, data }) {
    const session: Session = data;
    createContainer(createOptions("create", args, session));
  },
});
