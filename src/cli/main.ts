import type { ArgsDef } from "citty";
import { supervisorCommand } from "../container/supervisor-command.ts";
import { readArguments, readGlobals } from "./arguments.ts";

import { type Called, calledAs } from "./called.ts";
import { parseGlobals, type Session } from "./globals.ts";
import { Log } from "./log.ts";
import { UsageError } from "./usage-error.ts";
import { readValues } from "./values.ts";
import type { Verb } from "./verb.ts";
import { verbs } from "./verbs.ts";

/** Whether the caller wants this process to wait before the command, so that somebody can look around. */
function hangsBefore(command: string): boolean {
  return command === (process.env.BUNC_HANG || process.env.CH_RUN_OCI_HANG);
}

/** Runs one command; returns its exit status, or undefined when its help is asked for. Throws whatever went wrong. */
async function execute(
  command: string,
  verb: Verb,
  argv: readonly string[],
  session: Session,
  called: Called,
): Promise<number | undefined> {
  const { command: definition } = await verb.load();
  const definitions: ArgsDef = definition.args ?? {};
  const { args, rest, help } = readArguments(argv, {
    command,
    definitions,
    payload: verb.payload,
    elsewhere: { definitions: called.globals, place: "before the command" },
  });
  if (help) return undefined;
  session.log.debug(`${command} ${args.join(" ")}`);
  const values = readValues(args, definitions);
  if (hangsBefore(command)) {
    const { hang } = require("./hang.ts") as typeof import("./hang.ts");
    hang(command, values, session);
  }
  // What citty's runCommand does, less subcommands and plugins, of which there are none.
  const result: unknown = await definition.run?.({
    rawArgs: args,
    args: values,
    cmd: definition,
    data: verb.payload ? { ...session, payload: rest } : session,
  });
  return typeof result === "number" ? result : 0;
}

/** Of one container's root emulation, until that has no process left; false for a person, who has nothing to supervise. */
async function beSupervisor(): Promise<boolean> {
  const { superviseRoot } = await import("../container/supervise-root.ts");
  return superviseRoot();
}

/**
 * bunc from the command line: reads it, runs the command, and prints what went wrong, here and nowhere else.
 * @param argv the arguments, without the program's name
 * @returns the exit status: the command's, or after an error its own for that, mostly 1
 */
export async function main(argv: readonly string[]): Promise<number> {
  let log = new Log({ file: undefined, format: "text", level: "warning" });
  let failure = 1;
  try {
    const called = calledAs(process.argv0);
    const { args, rest, help } = readGlobals(argv, { command: undefined, definitions: called.globals });
    const globals = parseGlobals(args, called.globals);
    if (globals.version) {
      const { printVersion } = await import("./version.ts");
      printVersion();
      return 0;
    }
    const [command, ...ownArgv] = rest;
    if (command !== undefined && !help) {
      log = new Log(globals.log);
      const verb = Object.hasOwn(verbs, command) ? verbs[command] : undefined;
      if (!verb) {
        if (command === supervisorCommand && (await beSupervisor())) return 0;
        const { suggest } = await import("./suggest.ts");
        throw new UsageError(`unknown command "${command}"${suggest(command, Object.keys(verbs))}`);
      }
      failure = verb.failure ?? failure;
      const status = await execute(command, verb, ownArgv, { globals, log }, called);
      if (status !== undefined) return status;
    }
    const { printHelp } = await import("./help.ts");
    await printHelp(command, called);
    return 0;
  } catch (error) {
    const { explain } = await import("./explain.ts");
    log.error(explain(error));
    if (error instanceof Error && error.stack) log.debug(error.stack);
    return failure;
  }
}
