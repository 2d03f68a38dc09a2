import type { ArgsDef } from "citty";
import type { CgroupManager, RootEmulationMode } from "../container/options.ts";
import type { Log, LogFormat } from "./log.ts";

import { readValues } from "./values.ts";

/** Options that stand before the command. Their defaults are in parseGlobals: most commands are run without any. */
export const globalArgs = {
  root: { type: "string", valueHint: "DIR", description: "keep the containers' state in DIR" },
  log: {
    type: "string",
    valueHint: "FILE",
    description: "append messages to FILE; journald:ID and syslog:ID name the machine's own log",
  },
  "log-format": {
    type: "enum",
    options: ["text", "json"],
    description: "form of the messages (default: text)",
  },
  "log-level": {
    type: "enum",
    options: ["error", "warning", "info", "debug"],
    description: "least weighty messages to write (default: warning)",
  },
  debug: { type: "boolean", description: "the same as --log-level debug" },
  "cgroup-manager": {
    type: "enum",
    options: ["cgroupfs", "systemd", "disabled"],
    description: "who makes the containers' cgroups (default: cgroupfs)",
  },
  "systemd-cgroup": {
    type: "boolean",
    description: "the same as --cgroup-manager systemd, which wins where both are given",
  },
  rootless: {
    type: "enum",
    options: ["true", "false", "auto"],
    description: "go on without cgroups that may not be made (default: auto)",
  },
  "root-emulation": {
    type: "enum",
    options: ["auto", "seccomp", "none", "notify"],
    description: "answer calls that take a root with many ids (default: auto, where one id is mapped)",
  },
  "keep-groups": { type: "boolean", description: "the same as --keep-groups of create and run" },
  criu: {
    type: "string",
    valueHint: "PATH",
    description: "the criu of checkpoint and restore (default: that in PATH)",
  },
  help: { type: "boolean", alias: "h", description: "print this help" },
  version: { type: "boolean", alias: ["v", "V"], description: "print the version" },
} satisfies ArgsDef;

/** The values of the global options. */
export interface Globals {
  /** Absolute path; undefined to use the user's own state root. */
  readonly root: string | undefined;
  readonly log: { readonly file: string | undefined; readonly format: LogFormat; readonly level: string };
  readonly cgroupManager: CgroupManager;
  readonly rootless: boolean | "auto";
  /** undefined when it is not given. */
  readonly rootEmulation: RootEmulationMode | undefined;
  readonly keepGroups: boolean;
  /** The criu of checkpoint and restore; undefined for that in PATH. */
  readonly criu: string | undefined;
  readonly version: boolean;
}

/** What a command is run with, beside its own arguments: citty hands it down as `data`. */
export interface Session {
  readonly globals: Globals;
  readonly log: Log;
  /** The command line of another program, where the command takes one. */
  readonly payload?: readonly string[];
}

const defaults: Globals = {
  root: undefined,
  log: { file: undefined, format: "text", level: "warning" },
  cgroupManager: "cgroupfs",
  rootless: "auto",
  rootEmulation: undefined,
  keepGroups: false,
  criu: undefined,
  version: false,
};

const rootlessWords: Readonly<Record<string, Globals["rootless"]>> = { true: true, false: false };

// The type that citty has for them forgets that an option may be absent.
interface Values {
  readonly root?: string | undefined;
  readonly log?: string | undefined;
  readonly "log-format"?: string | undefined;
  readonly "log-level"?: string | undefined;
  readonly debug?: boolean | undefined;
  readonly "cgroup-manager"?: string | undefined;
  readonly "systemd-cgroup"?: boolean | undefined;
  readonly rootless?: string | undefined;
  readonly "root-emulation"?: string | undefined;
  readonly "keep-groups"?: boolean | undefined;
  readonly criu?: string | undefined;
  readonly version?: boolean | undefined;
}

/** BUNC_LOG names a log where --log does not; CH_LOG_FILE is what ch-run-oci calls it. */
export type LogVariables = Readonly<Record<string, string | undefined>>;

/** How much is written: to a log that a variable names, everything, for who reads it looks for what went wrong. */
function readLevel(args: readonly string[], values: Values, isVariable: boolean): string {
  if (values.debug) return "debug";
  const written = values["log-level"];
  if (written !== undefined) return written;
  if (isVariable) return "debug";
  // ch-run-oci counts how often it is asked to say more.
  let count = 0;
  for (const word of args) if (word === "--verbose") count++;
  return ["warning", "info"][count] ?? "debug";
}

/**
 * The values of global options in the plain form of src/cli/arguments.ts.
 * @param definitions those that the options were read by
 */
export function parseGlobals(
  args: string[],
  definitions: ArgsDef = globalArgs,
  env: LogVariables = process.env,
): Globals {
  // An empty variable is an unset one.
  const file = env.BUNC_LOG || env.CH_LOG_FILE || undefined;
  if (args.length === 0 && file === undefined) return defaults;
  const values = readValues(args, definitions) as Values;
  const { root, log } = values;
  const manager = values["cgroup-manager"] as CgroupManager | undefined;
  return {
    root: root === undefined || root.startsWith("/") ? root : `${process.cwd()}/${root}`,
    log: {
      file: log ?? file,
      format: values["log-format"] === "json" ? "json" : "text",
      level: readLevel(args, values, log === undefined && file !== undefined),
    },
    cgroupManager: manager ?? (values["systemd-cgroup"] ? "systemd" : defaults.cgroupManager),
    rootless: rootlessWords[values.rootless ?? ""] ?? defaults.rootless,
    rootEmulation: values["root-emulation"] as RootEmulationMode | undefined,
    keepGroups: values["keep-groups"] === true,
    criu: values.criu,
    version: values.version === true,
  };
}
