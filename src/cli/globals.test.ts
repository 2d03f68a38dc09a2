import { expect, test } from "bun:test";
import { readGlobals } from "./arguments.ts";
import { type Globals, globalArgs, type LogVariables, parseGlobals } from "./globals.ts";

function parse(...argv: string[]): Globals {
  return parseGlobals(readGlobals(argv, { command: undefined, definitions: globalArgs }).args);
}

const defaults: Globals = {
  root: undefined,
  log: { file: undefined, format: "text", level: "warning" },
  cgroupManager: "cgroupfs",
  rootless: "auto",
  rootEmulation: undefined,
  keepGroups: false,
  criu: undefined,
  version: false,
};

test("without options", () => {
  expect(parse("state")).toEqual(defaults);
});

test.each<[string[], Partial<Globals>]>([
  [["--root", "/r"], { root: "/r" }],
  [["--root", "r"], { root: `${process.cwd()}/r` }],
  [["--log", "/l"], { log: { file: "/l", format: "text", level: "warning" } }],
  [["--log=/l", "--log-format=json"], { log: { file: "/l", format: "json", level: "warning" } }],
  [["--log-format", "text"], {}],
  [["--log-level", "error"], { log: { file: undefined, format: "text", level: "error" } }],
  [["--debug"], { log: { file: undefined, format: "text", level: "debug" } }],
  [["--debug", "--log-level=error"], { log: { file: undefined, format: "text", level: "debug" } }],
  [["--debug=false"], {}],
  [["--systemd-cgroup"], { cgroupManager: "systemd" }],
  [["--systemd-cgroup=false"], {}],
  [["--cgroup-manager", "systemd"], { cgroupManager: "systemd" }],
  [["--cgroup-manager=disabled"], { cgroupManager: "disabled" }],
  [["--cgroup-manager=disabled", "--systemd-cgroup"], { cgroupManager: "disabled" }],
  [["--systemd-cgroup", "--cgroup-manager=cgroupfs"], {}],
  [["--rootless", "true"], { rootless: true }],
  [["--rootless=false"], { rootless: false }],
  [["--rootless=auto"], {}],
  [["--keep-groups"], { keepGroups: true }],
  [["--criu", "/usr/sbin/criu"], { criu: "/usr/sbin/criu" }],
  [["--version"], { version: true }],
  [["-v"], { version: true }],
  [["-V"], { version: true }],
])("%j", (argv, expected) => {
  expect(parse(...argv)).toEqual({ ...defaults, ...expected });
});

test("a variable names the log where --log does not, and that log gets everything", () => {
  const log = (args: string[], env: LogVariables) => parseGlobals(args, globalArgs, env).log;
  const text = (file: string | undefined, level: string) => ({ file, format: "text" as const, level });
  expect(log([], { BUNC_LOG: "/b", CH_LOG_FILE: "/c" })).toEqual(text("/b", "debug"));
  expect(log([], { CH_LOG_FILE: "/c" })).toEqual(text("/c", "debug"));
  expect(log([], { BUNC_LOG: "", CH_LOG_FILE: "" })).toEqual(text(undefined, "warning"));
  expect(log(["--log=/l"], { BUNC_LOG: "/b" })).toEqual(text("/l", "warning"));
  expect(log(["--log-level=error"], { BUNC_LOG: "/b" })).toEqual(text("/b", "error"));
});

test.each([
  [["--log-format=xml"]],
  [["--log-level=loud"]],
  [["--cgroup-manager=none"]],
  [["--rootless=maybe"]],
  [["--rootless"]],
  [["--systemd-cgroup=banana"]],
  [["--root="]],
  [["--bundle=/b"]],
])("%j is refused", (argv) => {
  expect(() => parse(...argv)).toThrow();
});

test("--root-emulation takes its modes", () => {
  expect(parseGlobals(["--root-emulation=none"]).rootEmulation).toBe("none");
  expect(parseGlobals([]).rootEmulation).toBeUndefined();
  expect(parseGlobals(["--root-emulation=notify"]).rootEmulation).toBe("notify");
});
