import type { ArgsDef, ParsedArgs } from "citty";

/**
 * The values of a command line in the plain form of src/cli/arguments.ts. They are those that citty's parseArgs finds in it,
 * which takes 0.3 ms: it is made for more forms than this one. A test compares the two.
 */
export function readValues<const T extends ArgsDef>(args: readonly string[], definitions: T): ParsedArgs<T> {
  const end = args.indexOf("--");
  const options = end < 0 ? args.length : end;
  const values: Record<string, unknown> = {};
  for (let index = 0; index < options; index++) {
    const word = args[index] ?? "";
    const equals = word.indexOf("=");
    const name = word.slice(2, equals < 0 ? undefined : equals);
    if (equals >= 0) values[name] = word.slice(equals + 1);
    // The name of an option may itself begin with "no-".
    else if (name in definitions) values[name] = true;
    else values[name.slice("no-".length)] = false;
  }
  let position = options + 1;
  for (const name in definitions) {
    const definition = definitions[name];
    if (definition?.type === "positional") values[name] = args[position++];
    if (values[name] === undefined && definition?.default !== undefined) values[name] = definition.default;
  }
  values._ = args.slice(options + 1);
  return values as ParsedArgs<T>;
}
