import { defineCommand } from "citty";
import { writeAll } from "../../ffi/file.ts";
import { type ContainerState, stateOf } from "../container/state.ts";
import { StateError } from "../state/error.ts";
import { stateRoot } from "../state/root.ts";
import { listIds } from "../state/store.ts";
import type { Session } from "./globals.ts";
import type { Log } from "./log.ts";

/** Columns as runc has them. */
const columns: readonly (readonly [title: string, value: (state: ContainerState) => string])[] = [
  ["ID", (state) => state.id],
  ["PID", (state) => String(state.pid)],
  ["STATUS", (state) => state.status],
  ["BUNDLE", (state) => state.bundle],
  ["CREATED", (state) => state.created],
  ["OWNER", (state) => state.owner],
];

export const titles = columns.map(([title]) => title);

/** Spaces between columns, and how wide a column is at least. */
export const columnGap = 3;
export const leastWidth = 12;

/** A table with a line for each container. */
export function renderTable(states: readonly ContainerState[]): string {
  const rows = [titles, ...states.map((state) => columns.map(([, value]) => value(state)))];
  const widths = columns.map((_, column) =>
    Math.max(leastWidth, ...rows.map((row) => (row[column] ?? "").length + columnGap)),
  );
  return rows
    .map(
      (row) =>
        `${row
          .map((text, column) => text.padEnd(widths[column] ?? 0))
          .join("")
          .trimEnd()}\n`,
    )
    .join("");
}

function readStates(root: string, log: Log): ContainerState[] {
  return listIds(root).flatMap((id) => {
    try {
      return [stateOf(root, id)];
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      // On its way, or deleted since the directory was read. Damage must be seen.
      if (error.problem !== "missing") log.warn(error.message);
      return [];
    }
  });
}

export const command = defineCommand({
  meta: { name: "list", description: "list the containers" },
  args: {
    format: {
      type: "enum",
      alias: "f",
      options: ["table", "json"],
      default: "table",
      description: "form of the list",
    },
    all: { type: "boolean", alias: "a", description: "accepted: every container is listed without it" },
    quiet: { type: "boolean", alias: "q", description: "print only the ids" },
  },
  run({ args, data }) {
    const { globals, log }: Session = data;
    const states = readStates(stateRoot(globals.root, false), log);
    if (args.quiet) writeAll(1, states.map(({ id }) => `${id}\n`).join(""));
    else if (args.format === "json") writeAll(1, `${JSON.stringify(states)}\n`);
    else writeAll(1, renderTable(states));
  },
});
