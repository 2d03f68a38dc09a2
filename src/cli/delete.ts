import { defineCommand } from "citty";
import { deleteContainer } from "../container/delete.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import type { Session } from "./globals.ts";

export const command = defineCommand({
  meta: { name: "delete", description: "remove a container and what it holds" },
  args: {
    id: idArg,
    force: {
      type: "boolean",
      alias: "f",
      description: "kill the container when it runs; succeed when it does not exist",
    },
  },
  run({ args, data }) {
    const { globals, log }: Session = data;
    return deleteContainer({
      root: stateRoot(globals.root, false),
      id: args.id,
      force: args.force === true,
      log,
    });
  },
});
