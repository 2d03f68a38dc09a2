import type { ArgsDef } from "citty";
import type { CreateOptions } from "../container/options.ts";
import { stateRoot } from "../state/root.ts";
import type { Session } from "./globals.ts";
import { readServiceManager } from "./service-manager.ts";
import { UsageError } from "./usage-error.ts";

/** The container that a command is about. */
export const idArg = {
  type: "positional",
  required: true,
  valueHint: "<container-id>",
  description: "name of the container",
} as const satisfies ArgsDef[string];

/** What create and run have in common. */
export const createArgs = {
  id: idArg,
  bundle: {
    type: "string",
    alias: "b",
    default: ".",
    valueHint: "DIR",
    description: "directory of config.json and the root file system",
  },
  config: { type: "string", alias: "f", valueHint: "FILE", description: "another file than config.json" },
  "pid-file": {
    type: "string",
    valueHint: "FILE",
    description: "write the pid of the container's init to FILE",
  },
  "console-socket": {
    type: "string",
    valueHint: "SOCKET",
    description: "send the terminal's master to this AF_UNIX socket",
  },
  "pidfd-socket": {
    type: "string",
    valueHint: "SOCKET",
    description: "send a pidfd of the container's init to this AF_UNIX socket",
  },
  pivot: {
    type: "boolean",
    default: true,
    negativeDescription: "move the root file system to / where pivot_root is impossible (initramfs)",
  },
  "new-keyring": {
    type: "boolean",
    default: true,
    negativeDescription: "let the container keep the caller's session keyring",
  },
  "keep-groups": {
    type: "boolean",
    description: "let the process keep the caller's groups, in place of process.user.additionalGids",
  },
  "preserve-fds": {
    type: "string",
    default: "0",
    valueHint: "N",
    description: "pass N more descriptors to the container, from 3 on",
  },
} satisfies ArgsDef;

/** The values of createArgs as citty gives them. */
export interface CreateValues {
  readonly id: string;
  readonly bundle: string;
  readonly config?: string | undefined;
  readonly "pid-file"?: string | undefined;
  readonly "console-socket"?: string | undefined;
  readonly "pidfd-socket"?: string | undefined;
  readonly pivot: boolean;
  readonly "new-keyring": boolean;
  readonly "keep-groups"?: boolean | undefined;
  readonly "preserve-fds": string;
}

/** A number of descriptors. Throws UsageError. */
export function parseCount(command: string, option: string, text: string): number {
  const count = Number(text);
  // Not by a regular expression, whose first use takes 0.05 ms. What Number takes beside digits is written otherwise.
  if (String(count) === text && Number.isInteger(count) && count >= 0 && count <= 2 ** 20) return count;
  throw new UsageError(`${command}: ${option}: "${text}" is not a number of descriptors`);
}

/** The options of a plan that is only looked at: it has no id and keeps nothing. Throws UsageError. */
export function planOptions(
  command: string,
  args: Pick<CreateValues, "bundle" | "config" | "pivot" | "new-keyring" | "keep-groups" | "preserve-fds">,
  session: Session,
): CreateOptions {
  return {
    id: "plan",
    bundle: args.bundle,
    configPath: args.config,
    pidFile: undefined,
    consoleSocket: undefined,
    pidfdSocket: undefined,
    noPivot: !args.pivot,
    newKeyring: args["new-keyring"],
    keepGroups: args["keep-groups"] === true || session.globals.keepGroups,
    preserveFds: parseCount(command, "--preserve-fds", args["preserve-fds"]),
    listenFds: 0,
    notifySocket: undefined,
    root: "",
    cgroupManager: session.globals.cgroupManager,
    rootless: session.globals.rootless,
    rootEmulation: session.globals.rootEmulation,
    log: session.log,
  };
}

/** The options of create and of run's first half. Makes the state root. Throws UsageError, StateError, SyscallError. */
export function createOptions(command: string, args: CreateValues, session: Session): CreateOptions {
  return {
    ...planOptions(command, args, session),
    ...readServiceManager(process.env, process.pid),
    id: args.id,
    pidFile: args["pid-file"],
    consoleSocket: args["console-socket"],
    pidfdSocket: args["pidfd-socket"],
    root: stateRoot(session.globals.root, true),
  };
}
