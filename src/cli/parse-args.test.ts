import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseArgs as original } from "node:util";
import { parseArgs } from "./parse-args.ts";

const options = {
  bundle: { type: "string", default: "." },
  pivot: { type: "boolean", default: true },
  detach: { type: "boolean" },
  "pid-file": { type: "string" },
} as const;

test.each([
  [[]],
  [["--"]],
  [["--", "id"]],
  [["--", "-x", "--", "--detach"]],
  [["--bundle=/b", "--detach", "--", "id", "TERM"]],
  [["--bundle=/b", "--bundle=/c"]],
  [["--pid-file=a=b", "--", ""]],
  [["--pid-file=--detach"]],
  [["--pid-file= "]],
])("%j is read as node:util reads it", (args) => {
  const expected = original({ args, options, allowPositionals: true, strict: false });
  const parsed = parseArgs({ args, options });
  expect({ ...parsed.values }).toEqual({ ...expected.values });
  expect(parsed.positionals).toEqual(expected.positionals);
});

test("without options", () => {
  expect(parseArgs({ args: ["--", "a"] }).positionals).toEqual(["a"]);
});

test("citty asks for nothing else: its modules import what bin/build.ts replaces", () => {
  const citty = readFileSync(require.resolve("citty"), "utf8");
  expect(citty.match(/^import .*/gm)).toEqual([
    'import { n as kebabCase, r as snakeCase, t as camelCase } from "./_chunks/libs/scule.mjs";',
    'import { parseArgs as parseArgs$1 } from "node:util";',
  ]);
});
