import { type ArgDef, type ArgsDef, defineCommand } from "citty";
import { writeAll } from "../../ffi/file.ts";
import { version } from "../../package.json";
import { type Called, calledAs } from "./called.ts";
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

function valueHint(definition: ArgDef): string {
  if (definition.type === "enum") return ` ${definition.options?.join("|")}`;
  return definition.type === "string" ? ` ${definition.valueHint ?? "value"}` : "";
}

function optionRow([name, definition]: [string, ArgDef]): Row {
  const hint = valueHint(definition);
  const aliases =
    "alias" in definition ? [definition.alias ?? []].flat().map((letter) => `-${letter}${hint}`) : [];
  if (definition.type === "boolean" && definition.default === true) {
    return [`--no-${name}`, definition.negativeDescription ?? ""];
  }
  const isDefault = definition.default !== undefined && definition.default !== false;
  const note = isDefault ? ` (default: ${definition.default})` : "";
  return [[`--${name}${hint}`, ...aliases].join(", "), `${definition.description ?? ""}${note}`];
}

function isPositional([, definition]: [string, ArgDef]): boolean {
  return definition.type === "positional";
}

/** Help of a command, from its definition. @param payload see src/cli/verb.ts */
export function renderCommandHelp(
  name: string,
  description: string,
  definitions: ArgsDef,
  payload?: Payload,
): string {
  const entries = Object.entries(definitions);
  const positionals = entries.filter(isPositional);
  const options = entries.filter((entry) => !isPositional(entry));
  const usage = positionals.map(([key, { valueHint: hint, required }]) => {
    const word = hint ?? `<${key}>`;
    return required === false ? ` [${word}]` : ` ${word}`;
  });
  if (payload === "command") usage.push(" [--] <command> [arguments...]");
  if (payload === "arguments") usage.push(" [ps options]");
  const rows: Row[] = positionals.map(([key, { valueHint: hint, description: text, default: value }]) => [
    hint ?? `<${key}>`,
    `${text ?? ""}${value === undefined ? "" : ` (default: ${value})`}`,
  ]);
  return [
    `NAME:\n   bunc ${name} - ${description}\n`,
    `\nUSAGE:\n   bunc [global options] ${name}${options.length > 0 ? " [command options]" : ""}${usage.join("")}\n`,
    section("ARGUMENTS", rows),
    section("OPTIONS", [...options.map(optionRow), ["--help, -h", "print this help"]]),
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
    section("GLOBAL OPTIONS", Object.entries(globals).map(optionRow)),
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
