import { defineCommand } from "citty";
import { showEvents } from "../container/events.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import { parseDuration } from "./duration.ts";
import type { Session } from "./globals.ts";
import { UsageError } from "./usage-error.ts";

/** Milliseconds. Throws UsageError. */
function parseInterval(text: string): number {
  const interval = parseDuration(text);
  if (interval !== undefined && interval > 0) return interval;
  throw new UsageError(`events: --interval: "${text}" is no time above 0, such as 5s or 500ms`);
}

export const command = defineCommand({
  meta: { name: "events", description: "print what a container uses, and when memory lacks" },
  args: {
    id: idArg,
    interval: {
      type: "string",
      default: "5s",
      valueHint: "TIME",
      description: "time between statistics, such as 1m30s or 500ms",
    },
    stats: { type: "boolean", description: "print the statistics once, and nothing else" },
  },
  run({ args, data }) {
    const { globals, log }: Session = data;
    showEvents({
      root: stateRoot(globals.root, false),
      id: args.id,
      log,
      interval: parseInterval(args.interval),
      statsOnly: args.stats === true,
    });
  },
});
