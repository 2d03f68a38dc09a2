import { defineCommand } from "citty";
import { runContainer } from "../container/run.ts";
import { createArgs, createOptions, planOptions } from "./container-args.ts";
import type { Session } from "./globals.ts";

export const command = defineCommand({
  meta: { name: "run", description: "create and start a container, and wait for it" },
  args: {
    ...createArgs,
    detach: { type: "boolean", alias: "d", description: "return as soon as the container runs" },
    keep: { type: "boolean", description: "leave the container's state when it has ended" },
    "dry-run": {
      type: "boolean",
      description: "only check the bundle and what the machine has for it: nothing is made",
    },
    subreaper: {
      type: "boolean",
      default: true,
      negativeDescription: "do not adopt the orphans of the container while it runs",
    },
  },
  run({ args, data }) {
    const session: Session = data;
    if (args["dry-run"]) {
      const { showPlan } = require("../container/show-plan.ts") as typeof import("../container/show-plan.ts");
      for (const step of showPlan(planOptions("run", args, session))) session.log.debug(step);
      return 0;
    }
    return runContainer({
      ...createOptions("run", args, session),
      detach: args.detach === true,
      keep: args.keep === true,
      subreaper: args.subreaper,
    });
  },
});
