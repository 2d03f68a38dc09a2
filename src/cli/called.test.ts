import { expect, test } from "bun:test";
import { readGlobals } from "./arguments.ts";
import { calledAs } from "./called.ts";
import { parseGlobals } from "./globals.ts";

test.each(["bunc", "/usr/bin/bunc", "ch-run", "my-ch-run-oci", "ch-run-oci/bunc", ""])(
  "%j is bunc",
  (argv0) => {
    expect(calledAs(argv0).name).toBe("bunc");
  },
);

test.each(["ch-run-oci", "./ch-run-oci", "/opt/charliecloud/bin/ch-run-oci"])("%j is ch-run-oci", (argv0) => {
  expect(calledAs(argv0).name).toBe("ch-run-oci");
});

const { globals } = calledAs("ch-run-oci");
const parse = (...argv: string[]) =>
  parseGlobals(readGlobals(argv, { command: undefined, definitions: globals }).args, globals, {});

test.each<[string[], string]>([
  [[], "warning"],
  [["-v"], "info"],
  [["--verbose"], "info"],
  [["-vv"], "debug"],
  [["-v", "--verbose"], "debug"],
  [["--debug"], "debug"],
  [["-v", "--debug"], "debug"],
  [["-v", "--log-level=error"], "error"],
])("ch-run-oci's %j says how much is written", (argv, level) => {
  expect(parse(...argv, "state").log.level).toBe(level);
});

test("ch-run-oci's --version, and bunc's own options", () => {
  expect(parse("--version").version).toBe(true);
  expect(parse("-v").version).toBe(false);
  expect(parse("--root", "/r", "--keep-groups")).toMatchObject({ root: "/r", keepGroups: true });
});
