import type { ArgDef, ArgsDef } from "citty";
import { suggest } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";
import type { Payload } from "./verb.ts";

// citty takes unknown options and surplus arguments in silence, and any --no-x for a negation. A runtime must refuse what
// it does not understand, and its callers write options in the ways of Go's and GNU's parsers. So the command line
// is checked against citty's definitions here, and made a plain form: --name=value, --flag, --, positionals.

/** A command line in the plain form. */
export interface PlainArguments {
  /** For src/cli/values.ts. */
  readonly args: string[];
  /** What follows the first positional, itself included, when reading stopped there; the payload of a command. */
  readonly rest: readonly string[];
  /** --help was given. The other arguments have not all been looked at. */
  readonly help: boolean;
}

/** Where the arguments stand, for messages and for what may follow. */
export interface Scope {
  /** Name of the command; undefined before it. */
  readonly command: string | undefined;
  readonly definitions: ArgsDef;
  /** What follows the positionals is another program's: nothing of it is read. */
  readonly payload?: Payload | undefined;
  /** Options that are known, but in another place, and where that is. */
  readonly elsewhere?: { readonly definitions: ArgsDef; readonly place: string };
}

interface Option {
  readonly name: string;
  readonly definition: ArgDef;
  /** Written --no-NAME. */
  readonly negated: boolean;
}

// What strconv.ParseBool of Go takes.
const yes = ["1", "t", "T", "true", "True", "TRUE"];
const no = ["0", "f", "F", "false", "False", "FALSE"];

function fail(scope: Scope, message: string): never {
  throw new UsageError(scope.command === undefined ? message : `${scope.command}: ${message}`);
}

/** True for an option that is on unless --no-NAME says otherwise; only that form of it exists. */
function isOnByDefault(definition: ArgDef): boolean {
  return definition.type === "boolean" && definition.default === true;
}

/** The long options of some definitions, as they are written. */
export function optionNames(definitions: ArgsDef): string[] {
  return Object.entries(definitions)
    .filter(([, definition]) => definition.type !== "positional")
    .map(([name, definition]) => `--${isOnByDefault(definition) ? "no-" : ""}${name}`);
}

function findLong(definitions: ArgsDef, word: string): Option | undefined {
  const negated = word.startsWith("no-");
  const name = negated ? word.slice(3) : word;
  const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
  if (!definition || definition.type === "positional") return undefined;
  return isOnByDefault(definition) === negated ? { name, definition, negated } : undefined;
}

function findShort(definitions: ArgsDef, letter: string): Option | undefined {
  for (const [name, definition] of Object.entries(definitions)) {
    if ("alias" in definition && definition.alias?.includes(letter))
      return { name, definition, negated: false };
  }
  return undefined;
}

/** An option and its value in the plain form. */
function plain(scope: Scope, written: string, option: Option, value: string): string {
  const { definition } = option;
  if (definition.type === "boolean") {
    const truth = value === "true" || yes.includes(value);
    if (!truth && !no.includes(value)) fail(scope, `${written}: "${value}" is neither true nor false`);
    return `--${truth === option.negated ? "no-" : ""}${option.name}`;
  }
  if (value === "") fail(scope, `${written}: the value is empty`);
  if (definition.type === "enum" && !definition.options?.includes(value)) {
    fail(scope, `${written}: "${value}" is none of ${definition.options?.join(", ")}`);
  }
  return `--${option.name}=${value}`;
}

function refuse(scope: Scope, written: string): never {
  const word = written.replace(/^-+/, "");
  const { elsewhere } = scope;
  if (elsewhere && (findLong(elsewhere.definitions, word) ?? findShort(elsewhere.definitions, word))) {
    fail(scope, `${written} is a global option: it goes ${elsewhere.place}`);
  }
  const known = optionNames(scope.definitions);
  const opposite = `--${word.startsWith("no-") ? word.slice(3) : `no-${word}`}`;
  const hint = known.includes(opposite) ? ` (did you mean ${opposite}?)` : suggest(`--${word}`, known);
  fail(scope, `unknown option ${written}${hint}`);
}

/** Reads the options that begin at `argv[index]`; returns the index after them and their values. */
function readOptions(
  scope: Scope,
  argv: readonly string[],
  index: number,
): { options: string[]; next: number; help: boolean } {
  const word = argv[index] ?? "";
  const equals = word.indexOf("=");
  const written = equals < 0 ? word : word.slice(0, equals);
  const attached = equals < 0 ? undefined : word.slice(equals + 1);
  const options: string[] = [];
  let next = index + 1;

  const take = (name: string, option: Option, own: string | undefined): void => {
    if (option.definition.type === "boolean") {
      options.push(plain(scope, name, option, own ?? "true"));
      return;
    }
    const value = own ?? argv[next++];
    if (value === undefined) fail(scope, `${name} needs a value`);
    options.push(plain(scope, name, option, value));
  };

  const name = written.slice(written.startsWith("--") ? 2 : 1);
  // --usage and -? are what every crun command knows.
  if (name === "help" || name === "usage" || written === "-h" || written === "-?")
    return { options, next, help: true };
  // Go's parser takes one dash for two, and go-runc relies on it: a long name wins over a bundle of letters.
  const long = findLong(scope.definitions, name);
  if (long) {
    take(written, long, attached);
    return { options, next, help: false };
  }
  if (written.startsWith("--") || written === "-") refuse(scope, written);
  for (let at = 1; at < written.length; at++) {
    const letter = written[at] ?? "";
    if (letter === "h") return { options, next, help: true };
    const option = findShort(scope.definitions, letter);
    if (!option) refuse(scope, written.length === 2 ? written : at === 1 ? written : `-${letter}`);
    const isLast = at === written.length - 1;
    if (option.definition.type !== "boolean" && !isLast) {
      take(`-${letter}`, option, word.slice(at + 1));
      return { options, next, help: false };
    }
    take(`-${letter}`, option, isLast ? attached : undefined);
  }
  return { options, next, help: false };
}

/**
 * Reads options up to the first word that is none: the global ones, before the command.
 * @throws UsageError
 */
export function readGlobals(argv: readonly string[], scope: Scope): PlainArguments {
  const args: string[] = [];
  let index = 0;
  while (index < argv.length) {
    const word = argv[index] ?? "";
    if (word === "--") return { args, rest: argv.slice(index + 1), help: false };
    if (!word.startsWith("-") || word === "-") break;
    const { options, next, help } = readOptions(scope, argv, index);
    args.push(...options);
    if (help) return { args, rest: argv.slice(next), help: true };
    index = next;
  }
  return { args, rest: argv.slice(index), help: false };
}

function countPositionals({ definitions }: Scope): number {
  return Object.values(definitions).filter(({ type }) => type === "positional").length;
}

/** Refuses too few positionals, and too many. */
function checkCount(scope: Scope, positionals: readonly string[]): void {
  let count = 0;
  for (const name in scope.definitions) {
    const definition = scope.definitions[name];
    if (definition?.type !== "positional") continue;
    if (count >= positionals.length && definition.required !== false) {
      fail(scope, `${definition.valueHint ?? name} is missing`);
    }
    count++;
  }
  if (positionals.length > count) fail(scope, `unexpected argument "${positionals[count]}"`);
}

/**
 * Reads the arguments of a command; options may stand among the positionals. With a payload they end with the first word
 * of it, or with `--`.
 * @throws UsageError
 */
export function readArguments(argv: readonly string[], scope: Scope): PlainArguments {
  const args: string[] = [];
  const positionals: string[] = [];
  const room = scope.payload ? countPositionals(scope) : Number.POSITIVE_INFINITY;
  let rest: readonly string[] = [];
  let index = 0;
  while (index < argv.length) {
    const word = argv[index] ?? "";
    if (word === "--") {
      const left = room - positionals.length;
      positionals.push(...argv.slice(index + 1, index + 1 + left));
      rest = argv.slice(index + 1 + left);
      break;
    }
    const isOption = word.startsWith("-") && word !== "-";
    if (positionals.length === room && (!isOption || scope.payload === "arguments")) {
      rest = argv.slice(index);
      break;
    }
    if (!isOption) {
      positionals.push(word);
      index++;
      continue;
    }
    const { options, next, help } = readOptions(scope, argv, index);
    if (help) return { args, rest: [], help: true };
    args.push(...options);
    index = next;
  }
  checkCount(scope, positionals);
  return { args: [...args, "--", ...positionals], rest, help: false };
}
