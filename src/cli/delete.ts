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
    regex: {
      type: "boolean",
      alias: "r",
      description: "every container whose id this regular expression fits",
    },
  },
  run({ args, data }) {
    const session: Session = data;
    const root = stateRoot(session.globals.root, false);
    const remove = (id: string) =>
      deleteContainer({ root, id, force: args.force === true, log: session.log });
    if (!args.regex) return remove(args.id);
    const { forEachMatch } = require("./by-regex.ts") as typeof import("./by-regex.ts");
    return forEachMatch("delete", args.id, root, session, remove);
  },
});
