import { defineCommand } from "citty";
import { deleteContainer } from "../container/delete.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import type { Session } from "./globals.ts";

/** What cc-oci-runtime calls it: there, too, it ends the container, and succeeds when there is none. */
export const command = defineCommand({
  meta: { name: "stop", description: "the same as delete --force" },
  args: { id: idArg },
  run({ args, data }) {
    const { globals, log }: Session = data;
    return deleteContainer({ root: stateRoot(globals.root, false), id: args.id, force: true, log });
  },
});
