import { defineCommand } from "citty";
import { writeAll } from "../../ffi/file.ts";
import { stateOf } from "../container/state.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import type { Session } from "./globals.ts";

export const command = defineCommand({
  meta: { name: "state", description: "print the state of a container as JSON" },
  args: { id: idArg },
  run({ args, data }) {
    const { globals }: Session = data;
    const state = stateOf(stateRoot(globals.root, false), args.id);
    writeAll(1, `${JSON.stringify(state, undefined, 2)}\n`);
  },
});
