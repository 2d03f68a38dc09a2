import { type ArgsDef, defineCommand } from "citty";
import { writeAll } from "../../ffi/file.ts";
import { version } from "../../package.json";
import { type Called, calledAs } from "./called.ts";
import {
  helpOption,
  type OptionShape,
  optionLabel,
  shapeOptions,
  shapePositionals,
  usageOf,
} from "./command-line.ts";
import { detailsOf } from "./details.ts";
import { suggest } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";
import type { Payload } from "./verb.ts";
import { verbs } from "./verbs.ts";

type Row = readonly [left: string, right: string];

function section(title: string, rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const width = Math.max(...rows.map(([left]) => left.length));
  return `\n${title}:\n${rows.map(([left, right]) => `   ${left.padEnd(width)}  ${right}\n`).join("")}`;
}

function optionRow(option: OptionShape): Row {
  return [optionLabel(option), option.description];
}

function paragraphs(title: string, texts: readonly string[]): string {
  if (texts.length === 0) return "";
  return `\n${title}:\n${texts.map((text) => `${wrap(text)}\n`).join("\n")}`;
}

/** Lines of at most 80 columns, indented as the sections are. */
function wrap(text: string): string {
  const lines: string[] = [];
  let line = "  ";
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > 80) {
      lines.push(line);
      line = "  ";
    }
    line += ` ${word}`;
  }
  return [...lines, line].join("\n");
}

/** Help of a command, from its definition. @param payload see src/cli/verb.ts */
export function renderCommandHelp(
  name: string,
  description: string,
  definitions: ArgsDef,
  payload?: Payload,
): string {
  const positionals = shapePositionals(definitions);
  const options = [...shapeOptions(definitions), helpOption];
  const { text, examples } = detailsOf(name);
  const shown = examples.map(([purpose, line]) => `   ${purpose}:\n       # ${line}\n`).join("\n");
  return [
    `NAME:\n   bunc ${name} - ${description}\n`,
    `\nUSAGE:\n   bunc [global options] ${name} ${usageOf({ positionals, options, payload })}`.trimEnd(),
    "\n",
    section(
      "ARGUMENTS",
      positionals.map(({ hint, description: what }) => [hint, what]),
    ),
    paragraphs("DESCRIPTION", text),
    examples.length === 0 ? "" : `\nEXAMPLES:\n${shown}`,
    section("OPTIONS", options.map(optionRow)),
  ].join("");
}

/** Help of bunc itself, under the name that it was called by. */
export function renderHelp({ name, globals }: Called): string {
  return [
    `NAME:\n   ${name} - Open Container Initiative runtime${name === "bunc" ? "" : " (bunc)"}\n`,
    `\nUSAGE:\n   ${name} [global options] command [command options] [arguments...]\n`,
    `\nVERSION:\n   ${version}\n`,
    section(
      "COMMANDS",
      Object.entries(verbs).map(([name, { description }]) => [name, description]),
    ),
    section("GLOBAL OPTIONS", shapeOptions(globals).map(optionRow)),
  ].join("");
}

/** Prints the help of a command, or of bunc when none is named. Throws UsageError when there is no such command. */
export async function printHelp(name?: string, called = calledAs(process.argv0)): Promise<void> {
  if (name === undefined) {
    writeAll(1, renderHelp(called));
    return;
  }
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (!verb) throw new UsageError(`unknown command "${name}"${suggest(name, Object.keys(verbs))}`);
  const { command: found } = await verb.load();
  const definitions: ArgsDef = found.args ?? {};
  writeAll(1, renderCommandHelp(name, verb.description, definitions, verb.payload));
}

export const command = defineCommand({
  meta: { name: "help", description: "print help, of a command when it is named" },
  args: {
    name: { type: "positional", required: false, valueHint: "<command>", description: "name of a command" },
  },
  run: ({ args }) => printHelp(args.name),
});
