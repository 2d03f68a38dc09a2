import { type ArgsDef, defineCommand } from "citty";
import type { ExecOptions } from "../container/options.ts";
import { stateRoot } from "../state/root.ts";
import { idArg, parseCount } from "./container-args.ts";
import { parseCapability, parseGids, parseUser } from "./exec-values.ts";
import type { Session } from "./globals.ts";
import { UsageError } from "./usage-error.ts";

/** Of options that may be given more than once only the last is in citty's values: see valuesOf. */
const args = {
  id: idArg,
  process: {
    type: "string",
    alias: "p",
    valueHint: "FILE",
    description: "the process as JSON, in place of a command",
  },
  detach: { type: "boolean", alias: "d", description: "return as soon as the process runs" },
  "pid-file": { type: "string", valueHint: "FILE", description: "write the pid of the process to FILE" },
  "console-socket": {
    type: "string",
    valueHint: "SOCKET",
    description: "send the terminal's master to this AF_UNIX socket",
  },
  "pidfd-socket": {
    type: "string",
    valueHint: "SOCKET",
    description: "send a pidfd of the process to this AF_UNIX socket",
  },
  cwd: { type: "string", valueHint: "DIR", description: "working directory in the container" },
  env: {
    type: "string",
    alias: "e",
    valueHint: "NAME=VALUE",
    description: "add a variable to the environment; may be repeated",
  },
  tty: { type: "boolean", alias: "t", description: "give the process a terminal" },
  user: { type: "string", alias: "u", valueHint: "UID[:GID]", description: "run as this user, by number" },
  "additional-gids": {
    type: "string",
    alias: "g",
    valueHint: "GID",
    description: "add a group, by number; may be repeated",
  },
  "process-label": {
    type: "string",
    valueHint: "LABEL",
    description: "SELinux label of the process, in place of the container's",
  },
  apparmor: {
    type: "string",
    valueHint: "PROFILE",
    description: "AppArmor profile of the process, in place of the container's",
  },
  "new-privs": { type: "boolean", default: true, negativeDescription: "set no_new_privs" },
  cap: {
    type: "string",
    alias: "c",
    valueHint: "CAPABILITY",
    description: "add a capability, such as CAP_NET_ADMIN; may be repeated",
  },
  "preserve-fds": {
    type: "string",
    default: "0",
    valueHint: "N",
    description: "pass N more descriptors to the process, from 3 on",
  },
  cgroup: {
    type: "string",
    valueHint: "[CONTROLLER:]PATH",
    description: "enter a cgroup beneath the container's, which must exist; may be repeated",
  },
  "ignore-paused": {
    type: "boolean",
    description: "do not refuse a paused container: the process runs when it is resumed",
  },
} satisfies ArgsDef;

/** The values of citty; of an option that is absent it gives undefined, which its type forgets. */
interface Values {
  readonly id: string;
  readonly process?: string | undefined;
  readonly detach?: boolean | undefined;
  readonly "pid-file"?: string | undefined;
  readonly "console-socket"?: string | undefined;
  readonly "pidfd-socket"?: string | undefined;
  readonly cwd?: string | undefined;
  readonly tty?: boolean | undefined;
  readonly user?: string | undefined;
  readonly "process-label"?: string | undefined;
  readonly apparmor?: string | undefined;
  readonly "new-privs": boolean;
  readonly "preserve-fds": string;
  readonly "ignore-paused"?: boolean | undefined;
}

/** Every value of an option, from the command line in the plain form of src/cli/arguments.ts. */
function valuesOf(rawArgs: readonly string[], name: string): string[] {
  const end = rawArgs.indexOf("--");
  const prefix = `--${name}=`;
  return rawArgs
    .slice(0, end < 0 ? undefined : end)
    .filter((word) => word.startsWith(prefix))
    .map((word) => word.slice(prefix.length));
}

function environment(rawArgs: readonly string[]): string[] {
  const entries = valuesOf(rawArgs, "env");
  for (const entry of entries) {
    if (entry.indexOf("=") < 1) throw new UsageError(`exec: --env: "${entry}" is not NAME=VALUE`);
  }
  return entries;
}

/** The options of exec. @param payload the command. Throws UsageError, StateError. */
export function execOptions(
  values: Values,
  rawArgs: readonly string[],
  payload: readonly string[],
  session: Session,
): ExecOptions {
  if (payload.length === 0 && values.process === undefined) {
    throw new UsageError("exec: the command to run is missing, and so is --process");
  }
  if (payload.length > 0 && values.process !== undefined) {
    throw new UsageError(`exec: --process names what to run already: "${payload[0]}" is one too many`);
  }
  return {
    root: stateRoot(session.globals.root, false),
    id: values.id,
    log: session.log,
    processPath: values.process,
    process: {
      args: payload,
      cwd: values.cwd,
      env: environment(rawArgs),
      terminal: values.tty === true,
      ...parseUser(values.user),
      additionalGids: parseGids(valuesOf(rawArgs, "additional-gids")),
      noNewPrivileges: !values["new-privs"],
      selinuxLabel: values["process-label"],
      apparmorProfile: values.apparmor,
      capabilities: valuesOf(rawArgs, "cap").map(parseCapability),
    },
    detach: values.detach === true,
    pidFile: values["pid-file"],
    consoleSocket: values["console-socket"],
    pidfdSocket: values["pidfd-socket"],
    keepGroups: session.globals.keepGroups,
    preserveFds: parseCount("exec", "--preserve-fds", values["preserve-fds"]),
    cgroups: valuesOf(rawArgs, "cgroup"),
    ignorePaused: values["ignore-paused"] === true,
  };
}

export const command = defineCommand({
  meta: { name: "exec", description: "run a further process in a container" },
  args,
  run({ args: values, rawArgs, data }) {
    const session: Session = data;
    const options = execOptions(values, rawArgs, session.payload ?? [], session);
    const { execInContainer } = require("../container/exec.ts") as typeof import("../container/exec.ts");
    return execInContainer(options);
  },
});
