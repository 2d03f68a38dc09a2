import { type ArgsDef, parseArgs } from "citty";
import { neededDefinitions, readArguments, readGlobals } from "./arguments.ts";
import { type Called, calledAs } from "./called.ts";
import { parseGlobals, type Session } from "./globals.ts";
import type { HungValues } from "./hang.ts";
import { Log } from "./log.ts";
import { suggest } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";
import type { Verb, Verbs } from "./verb.ts";

/** What prints about bunc instead of running a command. */
export interface About {
  printVersion(): void;
  /** Help of a command, of bunc without one. Throws UsageError when there is no such command. */
  printHelp(command?: string, called?: Called): Promise<void>;
  /** Waits before a command, see BUNC_HANG in docs/debugging.md. */
  hang(command: string, values: HungValues, session: Session): void;
}

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
  { called, hang }: { called: Called; hang: About["hang"] | undefined },
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
  // What citty's runCommand does, less subcommands and plugins, of which there are none: half of its time is theirs.
  const values = parseArgs(args, neededDefinitions(args, definitions));
  hang?.(command, values, session);
  const result: unknown = await definition.run?.({
    rawArgs: args,
    args: values,
    cmd: definition,
    data: verb.payload ? { ...session, payload: rest } : session,
  });
  return typeof result === "number" ? result : 0;
}

/**
 * bunc from the command line: reads it, runs the command, and prints what went wrong, here and nowhere else.
 * @param argv the arguments, without the program's name
 * @param verbs the commands that can be run
 * @param about undefined where there are more commands than these
 * @returns the exit status: the command's, or after an error its own for that, mostly 1; undefined, with nothing done, when the command is not
 *   among `verbs`, or help, the version, or a wait is asked for, and `about` is undefined
 */
export async function main(
  argv: readonly string[],
  verbs: Verbs,
  about: About | undefined,
): Promise<number | undefined> {
  let log = new Log({ file: undefined, format: "text", level: "warning" });
  const called = calledAs(process.argv0);
  let failure = 1;
  try {
    const { args, rest, help } = readGlobals(argv, { command: undefined, definitions: called.globals });
    const globals = parseGlobals(args, called.globals);
    if (globals.version) {
      about?.printVersion();
      return about && 0;
    }
    const [command, ...ownArgv] = rest;
    if (command !== undefined && !help) {
      const verb = Object.hasOwn(verbs, command) ? verbs[command] : undefined;
      const hangs = hangsBefore(command);
      if (!about && (!verb || hangs)) return undefined;
      log = new Log(globals.log);
      if (!verb) {
        throw new UsageError(`unknown command "${command}"${suggest(command, Object.keys(verbs))}`);
      }
      failure = verb.failure ?? failure;
      const status = await execute(
        command,
        verb,
        ownArgv,
        { globals, log },
        { called, hang: hangs ? about?.hang : undefined },
      );
      if (status !== undefined) return status;
    }
    await about?.printHelp(command, called);
    return about && 0;
  } catch (error) {
    const { explain } = await import("./explain.ts");
    log.error(explain(error));
    if (error instanceof Error && error.stack) log.debug(error.stack);
    return failure;
  }
}
