import { type ArgsDef, parseArgs } from "citty";
import { neededDefinitions, readArguments, readGlobals } from "./arguments.ts";
import { globalArgs, parseGlobals, type Session } from "./globals.ts";
import { Log } from "./log.ts";
import { UsageError } from "./usage-error.ts";
import { verbs } from "./verbs.ts";

/** Runs one command; returns its exit status. Throws whatever went wrong. */
async function execute(command: string, argv: readonly string[], session: Session): Promise<number> {
  const verb = Object.hasOwn(verbs, command) ? verbs[command] : undefined;
  if (!verb) {
    const { suggest } = await import("./suggest.ts");
    throw new UsageError(`unknown command "${command}"${suggest(command, Object.keys(verbs))}`);
  }
  const { command: definition } = await verb.load();
  const definitions: ArgsDef = definition.args ?? {};
  const { args, help } = readArguments(argv, {
    command,
    definitions,
    elsewhere: { definitions: globalArgs, place: "before the command" },
  });
  if (help) {
    const { printHelp } = await import("./help.ts");
    await printHelp(command);
    return 0;
  }
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
 * @returns the exit status: the command's, or 1 after an error
 */
export async function main(argv: readonly string[]): Promise<number> {
  let log = new Log({ file: undefined, format: "text", level: "warning" });
  try {
    const { args, rest, help } = readGlobals(argv, { command: undefined, definitions: globalArgs });
    const globals = parseGlobals(args);
    if (globals.version) {
      const { printVersion } = await import("./version.ts");
      printVersion();
      return 0;
    }
    const [command, ...ownArgv] = rest;
    if (help || command === undefined) {
      const { printHelp } = await import("./help.ts");
      await printHelp(command);
      return 0;
    }
    log = new Log(globals.log);
    return await execute(command, ownArgv, { globals, log });
  } catch (error) {
    const { explain } = await import("./explain.ts");
    log.error(explain(error));
    if (error instanceof Error && error.stack) log.debug(error.stack);
    return 1;
  }
}
