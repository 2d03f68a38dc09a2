import { defineCommand } from "citty";
import { killContainer } from "../container/kill.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import type { Session } from "./globals.ts";
import { parseSignal } from "./signal.ts";
import { UsageError } from "./usage-error.ts";

interface Values {
  readonly positional?: string | undefined;
  readonly signal?: string | undefined;
  readonly force?: boolean | undefined;
}

/** The signal, in the one way in which it is given: runc's and crun's, or one of apptainer's. Throws UsageError. */
function signalOf({ positional, signal, force }: Values): string {
  const given = force ? "KILL" : (signal ?? positional);
  const ways = (positional === undefined ? 0 : 1) + (signal === undefined ? 0 : 1) + (force ? 1 : 0);
  if (ways > 1) {
    throw new UsageError(
      "kill: the signal is given more than once: as an argument, by --signal, or by --force",
    );
  }
  return given ?? "SIGTERM";
}

export const command = defineCommand({
  meta: { name: "kill", description: "send a signal to a container" },
  args: {
    id: idArg,
    positional: {
      type: "positional",
      required: false,
      valueHint: "<signal>",
      description: "name or number of the signal (default: SIGTERM)",
    },
    signal: { type: "string", alias: "s", valueHint: "SIGNAL", description: "the same as <signal>" },
    force: { type: "boolean", alias: "f", description: "the same as the signal KILL" },
    all: { type: "boolean", alias: "a", description: "send it to every process of the container" },
    regex: {
      type: "boolean",
      alias: "r",
      description: "every container whose id this regular expression fits",
    },
  },
  run({ args, data }) {
    const session: Session = data;
    const root = stateRoot(session.globals.root, false);
    const signal = parseSignal(signalOf(args));
    const kill = (id: string) =>
      killContainer({ root, id, signal, all: args.all === true, log: session.log });
    if (!args.regex) return kill(args.id);
    const { forEachMatch } = require("./by-regex.ts") as typeof import("./by-regex.ts");
    return forEachMatch("kill", args.id, root, session, kill);
  },
});
