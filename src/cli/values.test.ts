import { expect, test } from "bun:test";
import { type ArgsDef, parseArgs } from "citty";
import { readValues } from "./values.ts";

const definitions = {
  id: { type: "positional", required: true },
  signal: { type: "positional", required: false, default: "TERM" },
  place: { type: "positional", required: false },
  bundle: { type: "string", default: "." },
  "pid-file": { type: "string" },
  format: { type: "enum", options: ["text", "json"] },
  pivot: { type: "boolean", default: true },
  detach: { type: "boolean" },
} satisfies ArgsDef;

test.each([
  [["--", "a"]],
  [["--", "a", "9", "here"]],
  [["--bundle=/b", "--detach", "--no-pivot", "--", "a"]],
  [["--bundle=/b", "--bundle=/c", "--format=json", "--", "a"]],
  [["--no-detach", "--", "a"]],
  [["--pid-file=a=b", "--", "a"]],
  [["--pid-file=--detach", "--", "--detach", "--", "x"]],
  [["--pid-file= ", "--", "a"]],
])("%j has the values that citty finds", (args) => {
  const expected = parseArgs<typeof definitions>(args, definitions);
  const values = readValues(args, definitions);
  for (const name of Object.keys(definitions) as (keyof typeof definitions)[]) {
    expect([name, values[name]]).toEqual([name, expected[name]]);
  }
  expect(values._).toEqual(expected._);
});

test("without positionals there may be no -- either", () => {
  expect(
    readValues(["--root=/r", "--debug"], { root: { type: "string" }, debug: { type: "boolean" } }),
  ).toEqual({
    root: "/r",
    debug: true,
    _: [],
  });
});

test("an option whose name begins with no-", () => {
  const named = { "no-new-privs": { type: "boolean" } } satisfies ArgsDef;
  expect(readValues(["--no-new-privs"], named)["no-new-privs"]).toBe(true);
  expect(readValues(["--no-no-new-privs"], named)["no-new-privs"]).toBe(false);
});
