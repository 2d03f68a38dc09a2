import { expect, test } from "bun:test";
import type { ArgsDef } from "citty";
import { optionNames, readArguments, readGlobals, type Scope } from "./arguments.ts";
import { UsageError } from "./usage-error.ts";

const globals: ArgsDef = {
  root: { type: "string" },
  debug: { type: "boolean" },
  "log-format": { type: "enum", options: ["text", "json"] },
  version: { type: "boolean", alias: ["v", "V"] },
};

const scope: Scope = {
  command: "create",
  definitions: {
    id: { type: "positional", required: true, valueHint: "<container-id>" },
    signal: { type: "positional", required: false },
    bundle: { type: "string", alias: "b", default: "." },
    "pid-file": { type: "string" },
    detach: { type: "boolean", alias: "d" },
    force: { type: "boolean", alias: "f" },
    format: { type: "enum", alias: "F", options: ["table", "json"] },
    pivot: { type: "boolean", default: true },
  },
  elsewhere: { definitions: globals, place: "before the command" },
};

function message(argv: string[], where: Scope = scope): string {
  try {
    readArguments(argv, where);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`${argv} was taken`);
}

test.each([
  [["c"], ["--", "c"]],
  [
    ["c", "KILL"],
    ["--", "c", "KILL"],
  ],
  [
    ["--bundle", "/b", "c"],
    ["--bundle=/b", "--", "c"],
  ],
  [
    ["--bundle=/b", "c"],
    ["--bundle=/b", "--", "c"],
  ],
  [
    ["-b", "/b", "c"],
    ["--bundle=/b", "--", "c"],
  ],
  [
    ["-b=/b", "c"],
    ["--bundle=/b", "--", "c"],
  ],
  [
    ["-b/b", "c"],
    ["--bundle=/b", "--", "c"],
  ],
  [
    ["-b/b=c", "c"],
    ["--bundle=/b=c", "--", "c"],
  ],
  [
    ["-bundle", "/b", "c"],
    ["--bundle=/b", "--", "c"],
  ],
  [
    ["-bundle=/b", "c"],
    ["--bundle=/b", "--", "c"],
  ],
  [
    ["-pid-file=/p", "c"],
    ["--pid-file=/p", "--", "c"],
  ],
  [
    ["--bundle", "--pid-file", "c"],
    ["--bundle=--pid-file", "--", "c"],
  ],
  [
    ["--bundle", "-", "c"],
    ["--bundle=-", "--", "c"],
  ],
  [
    ["--bundle", "a=b", "c"],
    ["--bundle=a=b", "--", "c"],
  ],
  [
    ["--bundle", "--no-pivot", "c"],
    ["--bundle=--no-pivot", "--", "c"],
  ],
  [
    ["c", "--bundle", "/b"],
    ["--bundle=/b", "--", "c"],
  ],
  [
    ["-d", "-f", "c"],
    ["--detach", "--force", "--", "c"],
  ],
  [
    ["-df", "c"],
    ["--detach", "--force", "--", "c"],
  ],
  [
    ["-dfb", "/b", "c"],
    ["--detach", "--force", "--bundle=/b", "--", "c"],
  ],
  [
    ["-dfb/b", "c"],
    ["--detach", "--force", "--bundle=/b", "--", "c"],
  ],
  [
    ["--no-pivot", "c"],
    ["--no-pivot", "--", "c"],
  ],
  [
    ["-no-pivot", "c"],
    ["--no-pivot", "--", "c"],
  ],
  [
    ["--no-pivot=true", "c"],
    ["--no-pivot", "--", "c"],
  ],
  [
    ["--no-pivot=false", "c"],
    ["--pivot", "--", "c"],
  ],
  [
    ["--detach=true", "c"],
    ["--detach", "--", "c"],
  ],
  [
    ["--detach=1", "c"],
    ["--detach", "--", "c"],
  ],
  [
    ["--detach=F", "c"],
    ["--no-detach", "--", "c"],
  ],
  [
    ["-d=false", "c"],
    ["--no-detach", "--", "c"],
  ],
  [
    ["--format", "json", "c"],
    ["--format=json", "--", "c"],
  ],
  [
    ["--", "c"],
    ["--", "c"],
  ],
  [
    ["--detach", "--", "-c", "--force"],
    ["--detach", "--", "-c", "--force"],
  ],
  [["-"], ["--", "-"]],
  [[""], ["--", ""]],
])("%j becomes %j", (argv, expected) => {
  expect(readArguments(argv, scope)).toEqual({ args: expected, rest: [], help: false });
});

test.each([
  [["--help"]],
  [["--usage"]],
  [["-?"]],
  [["-h"]],
  [["-help"]],
  [["c", "-h"]],
  [["-dh"]],
  [["--detach", "--help", "--wrong"]],
])("%j asks for help", (argv) => {
  expect(readArguments(argv, scope).help).toBe(true);
});

test.each([[["--bundle", "--help", "c"]], [["--", "--help"]]])("%j does not", (argv) => {
  expect(readArguments(argv, scope).help).toBe(false);
});

test.each([
  [[], "create: <container-id> is missing"],
  [["--"], "create: <container-id> is missing"],
  [["c", "TERM", "x"], 'create: unexpected argument "x"'],
  [["--wrong", "c"], "create: unknown option --wrong"],
  [["--wrong=1", "c"], "create: unknown option --wrong"],
  [["--pid-fil", "f", "c"], "create: unknown option --pid-fil (did you mean --pid-file?)"],
  [["--pivot", "c"], "create: unknown option --pivot (did you mean --no-pivot?)"],
  [["--no-detach", "c"], "create: unknown option --no-detach (did you mean --detach?)"],
  [["--id=c"], "create: unknown option --id"],
  [["--constructor", "c"], "create: unknown option --constructor"],
  [["--__proto__", "c"], "create: unknown option --__proto__"],
  [["--=x", "c"], "create: unknown option --"],
  [["-=x", "c"], "create: unknown option -"],
  [["-x", "c"], "create: unknown option -x"],
  [["-dx", "c"], "create: unknown option -x"],
  [["-detac", "c"], "create: unknown option -e"],
  [["c", "--bundle"], "create: --bundle needs a value"],
  [["c", "-b"], "create: -b needs a value"],
  [["--bundle=", "c"], "create: --bundle: the value is empty"],
  [["--bundle", "", "c"], "create: --bundle: the value is empty"],
  [["--detach=maybe", "c"], 'create: --detach: "maybe" is neither true nor false'],
  [["--detach=", "c"], 'create: --detach: "" is neither true nor false'],
  [["--no-pivot=2", "c"], 'create: --no-pivot: "2" is neither true nor false'],
  [["--format", "xml", "c"], 'create: --format: "xml" is none of table, json'],
  [["-F", "xml", "c"], 'create: -F: "xml" is none of table, json'],
  [["--root", "/r", "c"], "create: --root is a global option: it goes before the command"],
  [["-v", "c"], "create: -v is a global option: it goes before the command"],
])("%j is refused: %s", (argv, expected) => {
  const text = message(argv);
  expect(text.startsWith(expected)).toBe(true);
  expect(text).not.toContain("\n");
});

test("global options end at the command", () => {
  const global: Scope = { command: undefined, definitions: globals };
  const read = (...argv: string[]) => readGlobals(argv, global);
  expect(read()).toEqual({ args: [], rest: [], help: false });
  expect(read("state", "--root", "x")).toEqual({ args: [], rest: ["state", "--root", "x"], help: false });
  expect(read("--root", "/r", "-debug", "state", "c")).toEqual({
    args: ["--root=/r", "--debug"],
    rest: ["state", "c"],
    help: false,
  });
  expect(read("--root=/r", "--", "state")).toEqual({ args: ["--root=/r"], rest: ["state"], help: false });
  expect(read("-v").args).toEqual(["--version"]);
  expect(read("-V").args).toEqual(["--version"]);
  expect(read("--help", "state")).toEqual({ args: [], rest: ["state"], help: true });
  expect(() => read("--rot", "/r", "state")).toThrow("unknown option --rot (did you mean --root?)");
  expect(() => read("--log-format=xml", "state")).toThrow('--log-format: "xml" is none of text, json');
  expect(() => read("--root")).toThrow("--root needs a value");
});

test("options are named as they are written", () => {
  expect(optionNames(scope.definitions)).toEqual([
    "--bundle",
    "--pid-file",
    "--detach",
    "--force",
    "--format",
    "--no-pivot",
  ]);
});
