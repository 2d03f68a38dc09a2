import { defineCommand } from "citty";
import { writeAll } from "../../ffi/file.ts";
import { showPlan } from "../container/show-plan.ts";
import { createArgs, planOptions } from "./container-args.ts";
import type { Session } from "./globals.ts";

export const command = defineCommand({
  meta: { name: "plan", description: "print the system calls that create would have the container make" },
  args: {
    bundle: createArgs.bundle,
    config: createArgs.config,
    pivot: createArgs.pivot,
    "new-keyring": createArgs["new-keyring"],
    "keep-groups": createArgs["keep-groups"],
    "preserve-fds": createArgs["preserve-fds"],
  },
  run({ args, data }) {
    const session: Session = data;
    writeAll(1, `${showPlan(planOptions("plan", args, session)).join("\n")}\n`);
  },
});
