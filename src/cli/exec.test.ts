import { expect, test } from "bun:test";
import type { ExecOptions } from "../container/options.ts";
import { readArguments } from "./arguments.ts";
import { command, execOptions } from "./exec.ts";
import { parseGlobals } from "./globals.ts";
import { renderCommandHelp } from "./help.ts";
import { Log } from "./log.ts";
import { readValues } from "./values.ts";

const definitions = command.args ?? {};

function read(...argv: string[]): Partial<ExecOptions> {
  const { args, rest, help } = readArguments(argv, {
    command: "exec",
    definitions: definitions as never,
    payload: "command",
  });
  if (help) throw new Error("help");
  const values = readValues(args, definitions as never) as never;
  const log = new Log({ file: undefined, format: "text", level: "error" });
  const { log: _, ...options } = execOptions(values, args, rest, {
    globals: { ...parseGlobals([]), root: "/" },
    log,
  });
  return options;
}

const process = {
  args: ["sh"],
  cwd: undefined,
  env: [],
  terminal: false,
  uid: undefined,
  gid: undefined,
  additionalGids: [],
  noNewPrivileges: false,
  selinuxLabel: undefined,
  apparmorProfile: undefined,
  capabilities: [],
};
const plain = {
  root: "/",
  id: "c",
  processPath: undefined,
  process,
  detach: false,
  pidFile: undefined,
  consoleSocket: undefined,
  keepGroups: false,
  preserveFds: 0,
  cgroups: [],
  ignorePaused: false,
};

test.each<[string[], object]>([
  [[], {}],
  [["-d"], { detach: true }],
  [["--pid-file", "/p"], { pidFile: "/p" }],
  [["--console-socket=/s"], { consoleSocket: "/s" }],
  [["--preserve-fds", "2"], { preserveFds: 2 }],
  [["--ignore-paused"], { ignorePaused: true }],
  [["--cgroup", "a", "--cgroup", "cpu:b"], { cgroups: ["a", "cpu:b"] }],
  [["--cwd", "/tmp"], { process: { ...process, cwd: "/tmp" } }],
  [["-t"], { process: { ...process, terminal: true } }],
  [["-e", "A=1", "--env=B=x=y", "-eC="], { process: { ...process, env: ["A=1", "B=x=y", "C="] } }],
  [["-u", "1"], { process: { ...process, uid: 1 } }],
  [["-u", "1:2"], { process: { ...process, uid: 1, gid: 2 } }],
  [["-g", "5", "-g", "6,7"], { process: { ...process, additionalGids: [5, 6, 7] } }],
  [["--process-label", "u:r:t"], { process: { ...process, selinuxLabel: "u:r:t" } }],
  [["--apparmor", "p"], { process: { ...process, apparmorProfile: "p" } }],
  [["--no-new-privs"], { process: { ...process, noNewPrivileges: true } }],
  [
    ["-c", "CAP_KILL", "--cap=net_admin"],
    { process: { ...process, capabilities: ["CAP_KILL", "CAP_NET_ADMIN"] } },
  ],
])("%j", (argv, expected) => {
  expect(read(...argv, "c", "sh")).toEqual({ ...plain, ...expected });
});

test("--process takes the place of the command", () => {
  expect(read("-p", "/p.json", "c")).toEqual({
    ...plain,
    processPath: "/p.json",
    process: { ...process, args: [] },
  });
});

test.each<[string[], string[]]>([
  [
    ["c", "ls", "-l"],
    ["ls", "-l"],
  ],
  [
    ["c", "sh", "--help", "-h", "--version"],
    ["sh", "--help", "-h", "--version"],
  ],
  [
    ["c", "sh", "-c", "a", "--", "b"],
    ["sh", "-c", "a", "--", "b"],
  ],
  [
    ["c", "env", "--env", "-d", "--no-pivot"],
    ["env", "--env", "-d", "--no-pivot"],
  ],
  [
    ["c", "--", "-x", "--"],
    ["-x", "--"],
  ],
  [
    ["--", "c", "ls", "-d"],
    ["ls", "-d"],
  ],
  [["c", "-"], ["-"]],
  [
    ["c", "", "x"],
    ["", "x"],
  ],
])("what is executed by %j", (argv, expected) => {
  expect(read(...argv).process?.args).toEqual(expected);
});

test("options may stand between the container and the command", () => {
  expect(read("c", "-d", "sh", "-d")).toEqual({
    ...plain,
    detach: true,
    process: { ...process, args: ["sh", "-d"] },
  });
});

test.each<[string[], string]>([
  [["c"], "the command to run is missing, and so is --process"],
  [[], "<container-id> is missing"],
  [["-p", "/p", "c", "ls"], '--process names what to run already: "ls" is one too many'],
  [["-u", "root", "c", "ls"], '--user: "root" is not the number of a user; names are not looked up'],
  [["-u", "1x", "c", "ls"], '"1x" is not the number of a user'],
  [["-u", " 1", "c", "ls"], '" 1" is not the number of a user'],
  [["-u", "+1", "c", "ls"], '"+1" is not the number of a user'],
  [["-u", "0x1", "c", "ls"], '"0x1" is not the number of a user'],
  [["-u", "1:", "c", "ls"], '"" is not the number of a group'],
  [["-u", ":1", "c", "ls"], '"" is not the number of a user'],
  [["-u", "1:2:3", "c", "ls"], '"2:3" is not the number of a group'],
  [["-u", "4294967295", "c", "ls"], '"4294967295" is not the number of a user'],
  [["-u", "99999999999999999999", "c", "ls"], "is not the number of a user"],
  [["-g", "wheel", "c", "ls"], '--additional-gids: "wheel" is not the number of a group'],
  [["-e", "A", "c", "ls"], '--env: "A" is not NAME=VALUE'],
  [["-c", "CAP_NET_ADMN", "c", "ls"], '--cap: "CAP_NET_ADMN" is no capability (did you mean CAP_NET_ADMIN?)'],
  [["--frobnicate", "c", "ls"], "unknown option --frobnicate"],
])("%j is refused", (argv, message) => {
  expect(() => read(...argv)).toThrow(message);
});

test("every UID and UID:GID that is digits is itself, and nothing else is one", () => {
  for (let seed = 1; seed < 500; seed++) {
    const uid = (seed * 2654435761) % 4294967295;
    const gid = (seed * 40503) % 65536;
    expect(read("-u", `${uid}:${gid}`, "c", "x").process).toMatchObject({ uid, gid });
    const junk = String.fromCharCode(33 + (seed % 90));
    if (/[0-9:]/.test(junk)) continue;
    expect(() => read("-u", `${uid}${junk}`, "c", "x")).toThrow();
    expect(() => read("-u", `${junk}${uid}`, "c", "x")).toThrow();
  }
});

test("the help says where the command goes", () => {
  expect(renderCommandHelp("exec", "x", definitions as never, "command")).toContain(
    "exec [command options] <container-id> [--] <command> [arguments...]\n",
  );
});
