import type { ArgsDef } from "citty";
import { supervisorCommand } from "../container/supervisor-command.ts";
import { readArguments, readGlobals } from "./arguments.ts";

import { type Called, calledAs } from "./called.ts";
import { parseGlobals, type Session } from "./globals.ts";
import { Log } from "./log.ts";
import { suggest } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";
import { readValues } from "./values.ts";
import type { Loaded, Verb } from "./verb.ts";
import { verbs } from "./verbs.ts";

/** Whether the caller wants this process to wait before the command, so that somebody can look around. */
function hangsBefore(command: string): boolean {
  return command === (process.env.BUNC_HANG || process.env.CH_RUN_OCI_HANG);
}

/** What a command is called with, all of it read but its own arguments. */
interface Call {
  readonly command: string;
  readonly argv: readonly string[];
  readonly session: Session;
  readonly called: Called;
}

/** A command's exit status. That of one that is loaded late comes late. */
type Status = number | Promise<number>;

/** Runs one command, or prints its help. Throws whatever went wrong. */
function execute(
  { command, argv, session, called }: Call,
  verb: Verb,
  { command: definition }: Loaded,
): Status {
  const definitions: ArgsDef = definition.args ?? {};
  const { args, rest, help } = readArguments(argv, {
    command,
    definitions,
    payload: verb.payload,
    elsewhere: { definitions: called.globals, place: "before the command" },
  });
  if (help) return showHelp(command, called);
  session.log.debug(`${command} ${args.join(" ")}`);
  const values = readValues(args, definitions);
  if (hangsBefore(command)) {
    const { hang } = require("./hang.ts") as typeof import("./hang.ts");
    hang(command, values, session);
  }
  // What citty's runCommand does, less subcommands and plugins, of which there are none.
  const result: unknown = definition.run?.({
    rawArgs: args,
    args: values,
    cmd: definition,
    data: verb.payload ? { ...session, payload: rest } : session,
  });
  return result instanceof Promise ? result.then(statusOf) : statusOf(result);
}

/** Most commands return nothing. */
const statusOf = (result: unknown) => (typeof result === "number" ? result : 0);

/** Of one container's root emulation, until that has no process left; false for a person, who has nothing to supervise. */
function beSupervisor(): boolean {
  const { superviseRoot } =
    require("../container/supervise-root.ts") as typeof import("../container/supervise-root.ts");
  return superviseRoot();
}

/** The verb of this name. Throws UsageError when there is none. */
function findVerb(command: string): Verb {
  const verb = Object.hasOwn(verbs, command) ? verbs[command] : undefined;
  if (verb) return verb;
  throw new UsageError(`unknown command "${command}"${suggest(command, Object.keys(verbs))}`);
}

async function showHelp(command: string | undefined, called: Called): Promise<number> {
  const { printHelp } = await import("./help.ts");
  await printHelp(command, called);
  return 0;
}

/** What was called; the exit status instead where nothing is left to run. Throws UsageError, SyscallError. */
function readCall(argv: readonly string[]): Call | Status {
  const called = calledAs(process.argv0);
  const { args, rest, help } = readGlobals(argv, { command: undefined, definitions: called.globals });
  const globals = parseGlobals(args, called.globals);
  if (globals.version) {
    const { printVersion } = require("./version.ts") as typeof import("./version.ts");
    printVersion();
    return 0;
  }
  const [command, ...own] = rest;
  if (command === undefined || help) return showHelp(command, called);
  return { command, argv: own, session: { globals, log: new Log(globals.log) }, called };
}

function runCall(call: Call): Status {
  const { command, session } = call;
  if (command === supervisorCommand && beSupervisor()) return 0;
  const verb = findVerb(command);
  return reporting(session.log, verb.failure ?? 1, () => {
    const loaded = verb.load();
    return loaded instanceof Promise
      ? loaded.then((late) => execute(call, verb, late))
      : execute(call, verb, loaded);
  });
}

/** Does something whose failure is printed, and is then this status. */
function reporting(log: Log | undefined, failure: number, act: () => Status): Status {
  const report = (error: unknown): number => {
    const { explain } = require("./explain.ts") as typeof import("./explain.ts");
    const to = log ?? new Log({ file: undefined, format: "text", level: "warning" });
    to.error(explain(error));
    if (error instanceof Error && error.stack) to.debug(error.stack);
    return failure;
  };
  try {
    const status = act();
    return status instanceof Promise ? status.catch(report) : status;
  } catch (error) {
    return report(error);
  }
}

/**
 * bunc from the command line: reads it, runs the command, and prints what went wrong, here and nowhere else.
 * @param argv the arguments, without the program's name
 * @returns the exit status: the command's, or after an error its own for that, mostly 1. A promise of it when the command
 *   had to be loaded: those that are there end without the event loop, which takes 0.2 ms to begin.
 */
export function main(argv: readonly string[]): Status {
  return reporting(undefined, 1, () => {
    const call = readCall(argv);
    if (typeof call === "number" || call instanceof Promise) return call;
    return reporting(call.session.log, 1, () => runCall(call));
  });
}
