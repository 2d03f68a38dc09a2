import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { version } from "../../package.json";
import { readProcess } from "../state/process.ts";

const program = resolve(import.meta.dir, "../../bin/bunc.ts");

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "main-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function bunc(...argv: string[]) {
  const command = [process.execPath, program, ...argv];
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: directory, env: {} });
  return { status: exitCode, stdout: String(stdout), stderr: String(stderr) };
}

/** A container as `create` would have recorded it, whose init is this process. */
function record(id: string): string {
  const root = join(directory, "root");
  mkdirSync(join(root, id), { recursive: true });
  const state = {
    ...{
      version: 1,
      ociVersion: "1.3.0",
      id,
      pid: process.pid,
      bundle: "/b",
      rootfs: "/b/rootfs",
      owner: "root",
    },
    ...{ created: "2026-01-02T03:04:05.000000006Z", annotations: {}, executable: "sh", cgroup: null },
    processStartTime: readProcess(process.pid)?.startTime,
  };
  writeFileSync(join(root, id, "state.json"), JSON.stringify(state));
  return root;
}

test("--version and version: the lines that podman and dockerd read", () => {
  for (const argv of [["--version"], ["-v"], ["version"], ["--debug", "--version"]]) {
    const { status, stdout, stderr } = bunc(...argv);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toStartWith(`bunc version ${version}\nspec: 1.3.0\n`);
  }
});

test("help, of bunc and of a command", () => {
  const help = bunc("--help");
  expect(help).toMatchObject({ status: 0, stderr: "" });
  expect(help.stdout).toContain("\nCOMMANDS:\n");
  for (const argv of [[], ["-h"], ["help"]]) expect(bunc(...argv)).toEqual(help);
  const kill = bunc("kill", "--help");
  expect(kill).toMatchObject({ status: 0, stderr: "" });
  expect(kill.stdout).toContain("bunc kill - ");
  for (const argv of [
    ["help", "kill"],
    ["kill", "id", "-h"],
    ["--help", "kill"],
  ]) {
    expect(bunc(...argv)).toEqual(kill);
  }
});

test.each([
  [["stat"], 'unknown command "stat" (did you mean state?)'],
  [["help", "stat"], 'unknown command "stat" (did you mean state?)'],
  [["--rot", "x", "state"], "unknown option --rot (did you mean --root?)"],
  [["state"], "state: <container-id> is missing"],
  [["state", "a", "b"], 'state: unexpected argument "b"'],
  [["kill", "--sig", "9", "a"], "kill: unknown option --sig (did you mean --signal?)"],
  [["kill", "a", "FOO"], 'kill: unknown signal "FOO"'],
  [["create", "--bundle"], "create: --bundle needs a value"],
  [["--root", "root", "state", "none"], 'container "none" does not exist'],
  [["--root", "root", "state", "../x"], "invalid container id"],
])("%j: one line on stderr, status 1", (argv, message) => {
  const { status, stdout, stderr } = bunc(...argv);
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toStartWith(`bunc: ${message}`);
  expect(stderr.indexOf("\n")).toBe(stderr.length - 1);
});

test("state and list", () => {
  const root = record("c");
  const { status, stdout, stderr } = bunc("--root", root, "state", "c");
  expect([status, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toMatchObject({ id: "c", status: "running", pid: process.pid });
  expect(stdout).toStartWith('{\n  "ociVersion": "1.3.0",\n  "id": "c",\n  "pid": ');
  expect(bunc("--root", root, "list", "-q").stdout).toBe("c\n");
  expect(JSON.parse(bunc("--root", root, "list", "--format=json").stdout)).toEqual([JSON.parse(stdout)]);
});

test("a value that is also the name of a command", () => {
  record("state");
  expect(bunc("--root", "root", "list", "--quiet").stdout).toContain("state\n");
  expect(bunc("--root", "state", "list")).toMatchObject({ status: 0, stderr: "" });
});

test("errors go to the log as records, and to stderr for people", () => {
  const json = join(directory, "log.json");
  for (const id of ["x", "y"]) {
    const { stderr } = bunc("--log", json, "--log-format", "json", "state", id);
    expect(stderr).toBe(`bunc: container "${id}" does not exist\n`);
  }
  const records = readFileSync(json, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(records).toEqual([
    { level: "error", msg: 'container "x" does not exist', time: expect.stringMatching(/^\d{4}-.*Z$/) },
    { level: "error", msg: 'container "y" does not exist', time: expect.stringMatching(/^\d{4}-.*Z$/) },
  ]);

  const text = join(directory, "log.txt");
  bunc("--log", text, "state", "x");
  expect(readFileSync(text, "utf8")).toMatch(
    /^time="[^"]+" level=error msg="container \\"x\\" does not exist"\n$/,
  );

  expect(JSON.parse(bunc("--log-format", "json", "state", "x").stderr).level).toBe("error");
  expect(bunc("--log", "/no/such/log", "state", "x")).toMatchObject({ status: 1, stdout: "" });
});

test("spec writes a configuration once", () => {
  expect(bunc("spec")).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(JSON.parse(readFileSync(join(directory, "config.json"), "utf8")).process.args).toEqual(["sh"]);
  expect(bunc("spec")).toEqual({
    status: 1,
    stdout: "",
    stderr: "bunc: spec: ./config.json exists already: remove it first\n",
  });
  const bundle = join(directory, "bundle");
  expect(bunc("spec", "--rootless", "-b", bundle).status).toBe(1);
  mkdirSync(bundle);
  expect(bunc("spec", "--rootless", "-b", bundle).status).toBe(0);
  expect(readFileSync(join(bundle, "config.json"), "utf8")).toContain('"uidMappings"');
  expect(existsSync(join(directory, "root/.seccomp"))).toBe(false);
});
