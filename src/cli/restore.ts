import { defineCommand } from "citty";
import { restoreContainer } from "../container/restore.ts";
import { stateRoot } from "../state/root.ts";
import { createArgs, planOptions } from "./container-args.ts";
import { criuArgs, criuChoices } from "./criu-args.ts";
import type { Session } from "./globals.ts";

export const command = defineCommand({
  meta: { name: "restore", description: "make a container again from what checkpoint has written" },
  args: {
    id: createArgs.id,
    ...criuArgs,
    bundle: createArgs.bundle,
    "pid-file": createArgs["pid-file"],
    "console-socket": createArgs["console-socket"],
    detach: { type: "boolean", alias: "d", description: "return as soon as the container runs" },
    subreaper: {
      type: "boolean",
      default: true,
      negativeDescription: "do not adopt the orphans of the container while it runs",
    },
    pivot: {
      type: "boolean",
      default: true,
      negativeDescription: "accepted for old callers, without effect: criu enters the root file system",
    },
    "tcp-close": { type: "boolean", description: "restore TCP connections as closed ones" },
    "lsm-profile": {
      type: "string",
      valueHint: "TYPE:NAME",
      description: "an AppArmor profile or an SELinux label in place of the one that was dumped",
    },
    "lsm-mount-context": {
      type: "string",
      valueHint: "CONTEXT",
      description: "SELinux context of the mounts in place of the one that was dumped",
    },
  },
  run({ args, data }) {
    const session: Session = data;
    const unasked = { config: undefined, "new-keyring": false, "keep-groups": false, "preserve-fds": "0" };
    return restoreContainer({
      ...planOptions("restore", { ...unasked, bundle: args.bundle, pivot: args.pivot }, session),
      ...criuChoices(args, session),
      id: args.id,
      root: stateRoot(session.globals.root, true),
      pidFile: args["pid-file"],
      consoleSocket: args["console-socket"],
      detach: args.detach === true,
      keep: false,
      subreaper: args.subreaper,
      tcpClose: args["tcp-close"] === true,
      lsmProfile: args["lsm-profile"],
      lsmMountContext: args["lsm-mount-context"],
    });
  },
});
