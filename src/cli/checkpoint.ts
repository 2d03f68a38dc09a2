import { defineCommand } from "citty";
import { type CheckpointOptions, checkpointContainer } from "../container/checkpoint.ts";
import { stateRoot } from "../state/root.ts";
import { idArg } from "./container-args.ts";
import { criuArgs, criuChoices } from "./criu-args.ts";
import type { Session } from "./globals.ts";
import { UsageError } from "./usage-error.ts";

/** `ADDRESS:PORT`; an IPv6 address may be in brackets. Throws UsageError. */
export function parsePageServer(text: string): NonNullable<CheckpointOptions["pageServer"]> {
  const colon = text.lastIndexOf(":");
  const address = text.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const port = Number(text.slice(colon + 1));
  if (colon > 0 && address !== "" && Number.isInteger(port) && port > 0 && port < 65_536)
    return { address, port };
  throw new UsageError(`checkpoint: --page-server: "${text}" is not ADDRESS:PORT`);
}

/** A number of a descriptor; -1 is runc's way to say none. Throws UsageError. */
export function parseStatusFd(text: string): number | undefined {
  if (text === "-1") return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`checkpoint: --status-fd: "${text}" is not the number of a descriptor`);
}

export const command = defineCommand({
  meta: { name: "checkpoint", description: "write the processes of a container to disk" },
  args: {
    id: idArg,
    ...criuArgs,
    "parent-path": {
      type: "string",
      valueHint: "DIR",
      description: "images of an earlier --pre-dump, relative to --image-path",
    },
    "pre-dump": {
      type: "boolean",
      description: "write only the memory and leave the container running: a later checkpoint is quicker",
    },
    "leave-running": { type: "boolean", description: "leave the container running" },
    "tcp-skip-in-flight": {
      type: "boolean",
      description: "leave out TCP connections that are not established yet",
    },
    "link-remap": { type: "boolean", description: "allow files that have been deleted but are open" },
    "page-server": {
      type: "string",
      valueHint: "ADDRESS:PORT",
      description: "send the memory to a criu page-server",
    },
    "status-fd": {
      type: "string",
      default: "-1",
      valueHint: "FD",
      description: "write a null byte to this descriptor when --lazy-pages is ready to serve",
    },
  },
  run({ args, data }) {
    const session: Session = data;
    checkpointContainer({
      ...criuChoices(args, session),
      root: stateRoot(session.globals.root, false),
      id: args.id,
      log: session.log,
      parentPath: args["parent-path"],
      preDump: args["pre-dump"] === true,
      leaveRunning: args["leave-running"] === true,
      tcpSkipInFlight: args["tcp-skip-in-flight"] === true,
      linkRemap: args["link-remap"] === true,
      pageServer: args["page-server"] === undefined ? undefined : parsePageServer(args["page-server"]),
      statusFd: parseStatusFd(args["status-fd"]),
    });
  },
});
