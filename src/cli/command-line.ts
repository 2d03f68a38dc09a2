// The commands and their options as data, made of the definitions that parse them: what help, completions and manual
// pages are made of.
import type { ArgDef, ArgsDef } from "citty";
import type { Payload } from "./verb.ts";
import { verbs } from "./verbs.ts";

/** What a value may be, as far as a shell can complete it. */
export type ValueKind = "text" | "file" | "directory" | "choice" | "container" | "command";

export interface OptionShape {
  /** As they are written: `--bundle`, `-b`. */
  readonly forms: readonly string[];
  /** Name of its value, such as `DIR`; "" for an option without one. */
  readonly hint: string;
  readonly kind: ValueKind;
  /** For the kind "choice". */
  readonly choices: readonly string[];
  readonly description: string;
}

export interface PositionalShape extends Omit<OptionShape, "forms"> {
  readonly required: boolean;
}

export interface CommandShape {
  readonly name: string;
  readonly description: string;
  readonly positionals: readonly PositionalShape[];
  readonly options: readonly OptionShape[];
  readonly payload: Payload | undefined;
}

const kinds: Readonly<Record<string, ValueKind>> = {
  FILE: "file",
  PATH: "file",
  SOCKET: "file",
  "<file>": "file",
  DIR: "directory",
  "<container-id>": "container",
  "<command>": "command",
};

function kindOf(hint: string, choices: readonly string[]): ValueKind {
  return choices.length > 0 ? "choice" : (kinds[hint] ?? "text");
}

/** "a|b|c" names the words that are meant. */
function choicesOf(hint: string): string[] {
  return /^[a-z0-9]+(\|[a-z0-9]+)+$/.test(hint) ? hint.split("|") : [];
}

function describe({ description = "", default: value }: ArgDef): string {
  return value === undefined || value === false ? description : `${description} (default: ${value})`;
}

function shapeOption(name: string, definition: ArgDef): OptionShape {
  if (definition.type === "boolean" && definition.default === true) {
    const description = definition.negativeDescription ?? "";
    return { forms: [`--no-${name}`], hint: "", kind: "text", choices: [], description };
  }
  const letters = "alias" in definition ? [definition.alias ?? []].flat() : [];
  const hint =
    definition.type === "enum"
      ? (definition.options ?? []).join("|")
      : definition.type === "string"
        ? (definition.valueHint ?? "value")
        : "";
  const choices = choicesOf(hint);
  return {
    forms: [`--${name}`, ...letters.map((letter) => `-${letter}`)],
    hint,
    kind: kindOf(hint, choices),
    choices,
    description: describe(definition),
  };
}

/** The options of some definitions, in their order. */
export function shapeOptions(definitions: ArgsDef): OptionShape[] {
  return Object.entries(definitions)
    .filter(([, { type }]) => type !== "positional")
    .map(([name, definition]) => shapeOption(name, definition));
}

/** The arguments of some definitions that are no options, in their order. */
export function shapePositionals(definitions: ArgsDef): PositionalShape[] {
  return Object.entries(definitions)
    .filter(([, { type }]) => type === "positional")
    .map(([name, definition]) => {
      const hint = definition.valueHint ?? `<${name}>`;
      const choices = choicesOf(hint);
      const required = definition.required !== false;
      return { hint, required, choices, kind: kindOf(hint, choices), description: describe(definition) };
    });
}

/** Every command, in the order of the help. */
export function shapeCommands(): Promise<CommandShape[]> {
  return Promise.all(
    Object.entries(verbs).map(async ([name, verb]) => {
      const { command } = await verb.load();
      const definitions: ArgsDef = command.args ?? {};
      return {
        name,
        description: verb.description,
        positionals: shapePositionals(definitions),
        options: [...shapeOptions(definitions), helpOption],
        payload: verb.payload,
      };
    }),
  );
}

/** Every command has it, and citty is not told of it. */
export const helpOption: OptionShape = {
  forms: ["--help", "-h"],
  hint: "",
  kind: "text",
  choices: [],
  description: "print this help",
};

/** An option with the name of its value after each of its forms: `--bundle DIR, -b DIR`. */
export function optionLabel({ forms, hint }: OptionShape): string {
  return forms.map((form) => (hint === "" ? form : `${form} ${hint}`)).join(", ");
}

/** What follows the name of a command on its command line: `[command options] <container-id> [<signal>]`. */
export function usageOf({
  options,
  positionals,
  payload,
}: Omit<CommandShape, "name" | "description">): string {
  const words = positionals.map(({ hint, required }) => (required ? hint : `[${hint}]`));
  if (options.some((option) => option !== helpOption)) words.unshift("[command options]");
  if (payload === "command") words.push("[--]", "<command>", "[arguments...]");
  if (payload === "arguments") words.push("[ps options]");
  return words.join(" ");
}
