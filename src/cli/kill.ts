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
    regex: {
      type: "boolean",
      alias: "r",
      description: "every container whose id this regular expression fits",
    },
  },
  async run({ args, data }) {
    const session: Session = data;
    const root = stateRoot(session.globals.root, false);
    const signal = parseSignal(args.signal);
    const kill = (id: string) =>
      killContainer({ root, id, signal, all: args.all === true, log: session.log });
    if (!args.regex) return kill(args.id);
    const { forEachMatch } = await import("./by-regex.ts");
    return forEachMatch("kill", args.id, root, session, kill);
  },
});
