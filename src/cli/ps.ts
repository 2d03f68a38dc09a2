import { defineCommand } from "citty";
import { writeAll } from "../../ffi/file.ts";
import { processesOfContainer, showProcesses } from "../container/ps.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import type { Session } from "./globals.ts";

export const command = defineCommand({
  meta: { name: "ps", description: "list the processes of a container" },
  args: {
    id: idArg,
    format: {
      type: "enum",
      alias: "f",
      options: ["table", "json"],
      default: "table",
      description: "ps(1)'s table, or the process ids alone",
    },
  },
  run({ args, data }) {
    const { globals, log, payload = [] }: Session = data;
    const pids = processesOfContainer({ root: stateRoot(globals.root, false), id: args.id, log });
    const text = args.format === "json" ? `${JSON.stringify(pids)}\n` : showProcesses(pids, payload);
    writeAll(1, text);
  },
});
