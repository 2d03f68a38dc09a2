import { type ArgsDef, parseArgs } from "citty";
import { neededDefinitions, readArguments, readGlobals } from "./arguments.ts";
import { globalArgs, parseGlobals, type Session } from "./globals.ts";
import { Log } from "./log.ts";
import { suggest } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";
import type { Verb, Verbs } from "./verb.ts";

/** What prints about bunc instead of running a command. */
export interface About {
  printVersion(): void;
  /** Help of a command, of bunc without one. Throws UsageError when there is no such command. */
  printHelp(command?: string): Promise<void>;
}

/** Runs one command; returns its exit status, or undefined when its help is asked for. Throws whatever went wrong. */
async function execute(
  command: string,
  verb: Verb,
  argv: readonly string[],
  session: Session,
): Promise<number | undefined> {
  const { command: definition } = await verb.load();
  const definitions: ArgsDef = definition.args ?? {};
  const { args, help } = readArguments(argv, {
    command,
    definitions,
    elsewhere: { definitions: globalArgs, place: "before the command" },
  });
  if (help) return undefined;
  session.log.debug(`${command} ${args.join(" ")}`);
  // What citty's runCommand does, less subcommands and plugins, of which there are none: half of its time is theirs.
  const values = parseArgs(args, neededDefinitions(args, definitions));
  const result: unknown = await definition.run?.({
    rawArgs: args,
    args: values,
    cmd: definition,
    data: session,
  });
  return typeof result === "number" ? result : 0;
}

/**
 * bunc from the command line: reads it, runs the command, and prints what went wrong, here and nowhere else.
 * @param argv the arguments, without the program's name
 * @param verbs the commands that can be run
 * @param about undefined where there are more commands than these
 * @returns the exit status: the command's, or 1 after an error; undefined, with nothing done, when the command is not
 *   among `verbs`, or help or the version is asked for, and `about` is undefined
 */
export async function main(
  argv: readonly string[],
  verbs: Verbs,
  about: About | undefined,
): Promise<number | undefined> {
  let log = new Log({ file: undefined, format: "text", level: "warning" });
  try {
    const { args, rest, help } = readGlobals(argv, { command: undefined, definitions: globalArgs });
    const globals = parseGlobals(args);
    if (globals.version) {
      about?.printVersion();
      return about && 0;
    }
    const [command, ...ownArgv] = rest;
    if (command !== undefined && !help) {
      const verb = Object.hasOwn(verbs, command) ? verbs[command] : undefined;
      if (!verb && !about) return undefined;
      log = new Log(globals.log);
      if (!verb) {
        throw new UsageError(`unknown command "${command}"${suggest(command, Object.keys(verbs))}`);
      }
      const status = await execute(command, verb, ownArgv, { globals, log });
      if (status !== undefined) return status;
    }
    await about?.printHelp(command);
    return about && 0;
  } catch (error) {
    const { explain } = await import("./explain.ts");
    log.error(explain(error));
    if (error instanceof Error && error.stack) log.debug(error.stack);
    return 1;
  }
}
