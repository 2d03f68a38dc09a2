import { defineCommand } from "citty";
import { addMounts, readMounts, removeMounts } from "../container/mounts.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import type { Session } from "./globals.ts";
import { suggest } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";

const actions = { add: addMounts, remove: removeMounts } as const;

function actionOf(word: string): (typeof actions)[keyof typeof actions] {
  if (word === "add" || word === "remove") return actions[word];
  throw new UsageError(`mounts: "${word}" is neither add nor remove${suggest(word, Object.keys(actions))}`);
}

export const command = defineCommand({
  meta: { name: "mounts", description: "add mounts to a container that is there already, or remove them" },
  args: {
    action: { type: "positional", required: true, valueHint: "add|remove", description: "what to do" },
    id: idArg,
    file: {
      type: "positional",
      required: true,
      valueHint: "<file>",
      description:
        "a JSON array of mounts as in config.json, - for standard input; remove reads destinations only",
    },
  },
  run({ args, data }) {
    const { globals, log }: Session = data;
    const act = actionOf(args.action);
    const mounts = readMounts(args.file);
    act({ root: stateRoot(globals.root, false), id: args.id, log, mounts });
  },
});
