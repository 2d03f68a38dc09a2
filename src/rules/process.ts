/**
 * runtime-spec, config.md, "Process". A consoleSize without a terminal is ignored, as the specification says.
 */
import { SpecError, wrong } from "../spec/error.ts";
import type { Config } from "../spec/types.ts";

/** getrlimit(2), of Linux. */
const RLIMITS: readonly string[] = [
  "RLIMIT_AS",
  "RLIMIT_CORE",
  "RLIMIT_CPU",
  "RLIMIT_DATA",
  "RLIMIT_FSIZE",
  "RLIMIT_LOCKS",
  "RLIMIT_MEMLOCK",
  "RLIMIT_MSGQUEUE",
  "RLIMIT_NICE",
  "RLIMIT_NOFILE",
  "RLIMIT_NPROC",
  "RLIMIT_RSS",
  "RLIMIT_RTPRIO",
  "RLIMIT_RTTIME",
  "RLIMIT_SIGPENDING",
  "RLIMIT_STACK",
];

export function argsNameProgram(config: Config): void {
  if (config.process === undefined) return;
  const { args } = config.process;
  if (args === undefined || args.length === 0) {
    throw wrong("process.args", args, "a list that begins with the program to run");
  }
  if (args[0] === "") throw wrong("process.args[0]", "", "the program to run");
}

export function cwdIsAbsolute(config: Config): void {
  const cwd = config.process?.cwd;
  if (cwd !== undefined && !cwd.startsWith("/"))
    throw wrong("process.cwd", cwd, "an absolute path, such as /");
}

export function envHasNames(config: Config): void {
  for (const [index, entry] of (config.process?.env ?? []).entries()) {
    // The value may be a secret, so it is not repeated.
    if (entry.indexOf("=") < 1) {
      throw new SpecError(`process.env[${index}]`, "has no name: it must be NAME=VALUE");
    }
  }
}

export function rlimitsAreSound(config: Config): void {
  const seen = new Set<string>();
  for (const [index, { type, soft, hard }] of (config.process?.rlimits ?? []).entries()) {
    const path = `process.rlimits[${index}]`;
    if (!RLIMITS.includes(type)) {
      throw wrong(`${path}.type`, type, "a limit that Linux knows, such as RLIMIT_NOFILE");
    }
    if (seen.has(type)) throw new SpecError(path, `limits ${type} a second time`);
    seen.add(type);
    if (soft > hard) {
      throw new SpecError(
        path,
        `has a soft ${type} of ${soft}, above the hard one of ${hard}: it must not exceed it`,
      );
    }
  }
}
