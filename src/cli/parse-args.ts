// Stands in for parseArgs of node:util in the compiled binary: that module takes 1.3 ms to load, of which citty uses one
// function. bin/build.ts puts it in its place; a run from source uses the original, and a test compares the two.

interface OptionConfig {
  readonly type: "string" | "boolean";
  readonly default?: string | boolean | undefined;
}

interface ParseConfig {
  readonly args: readonly string[];
  readonly options?: Readonly<Record<string, OptionConfig>> | undefined;
}

interface Parsed {
  values: Record<string, string | boolean | undefined>;
  positionals: string[];
}

/**
 * What node:util's parseArgs returns with `strict: false` and `allowPositionals: true` for command lines in the plain
 * form of src/cli/arguments.ts: `--name=value`, `--flag`, `--`, positionals. Nothing else reaches it.
 */
export function parseArgs({ args, options = {} }: ParseConfig): Parsed {
  const values: Parsed["values"] = Object.create(null);
  const end = args.indexOf("--");
  const positionals = end < 0 ? [] : args.slice(end + 1);
  for (const word of end < 0 ? args : args.slice(0, end)) {
    const equals = word.indexOf("=");
    if (equals < 0) values[word.slice(2)] = true;
    else values[word.slice(2, equals)] = word.slice(equals + 1);
  }
  for (const name in options) {
    const value = options[name]?.default;
    if (value !== undefined && values[name] === undefined) values[name] = value;
  }
  return { values, positionals };
}
