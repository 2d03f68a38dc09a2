import { expect, test } from "bun:test";
import type { ArgsDef, CommandMeta } from "citty";
import { readArguments } from "./arguments.ts";
import { calledAs } from "./called.ts";
import { type CreateValues, createOptions } from "./container-args.ts";
import { globalArgs, parseGlobals, type Session } from "./globals.ts";
import { renderCommandHelp, renderHelp } from "./help.ts";
import { Log } from "./log.ts";
import { readValues } from "./values.ts";
import { verbs } from "./verbs.ts";

async function definitionsOf(verb: string): Promise<ArgsDef> {
  return (await verbs[verb]?.load())?.command.args ?? {};
}

const documented: Record<string, string[]> = {
  create: [
    "--bundle DIR, -b DIR",
    "--config FILE, -f FILE",
    "--pid-file FILE",
    "--console-socket SOCKET",
    "--pidfd-socket SOCKET",
    "--no-pivot",
    "--no-new-keyring",
    "--keep-groups",
    "--preserve-fds N",
    "--no-subreaper",
  ],
  start: [],
  run: [
    "--bundle DIR, -b DIR",
    "--config FILE, -f FILE",
    "--pid-file FILE",
    "--console-socket SOCKET",
    "--pidfd-socket SOCKET",
    "--no-pivot",
    "--no-new-keyring",
    "--keep-groups",
    "--preserve-fds N",
    "--detach, -d",
    "--keep",
    "--dry-run",
    "--no-subreaper",
  ],
  exec: [
    "--process FILE, -p FILE",
    "--detach, -d",
    "--pid-file FILE",
    "--console-socket SOCKET",
    "--pidfd-socket SOCKET",
    "--cwd DIR",
    "--env NAME=VALUE, -e NAME=VALUE",
    "--tty, -t",
    "--user UID[:GID], -u UID[:GID]",
    "--additional-gids GID, -g GID",
    "--process-label LABEL",
    "--apparmor PROFILE",
    "--no-new-privs",
    "--cap CAPABILITY, -c CAPABILITY",
    "--preserve-fds N",
    "--cgroup [CONTROLLER:]PATH",
    "--ignore-paused",
  ],
  state: [],
  kill: ["--signal SIGNAL, -s SIGNAL", "--force, -f", "--all, -a", "--regex, -r"],
  delete: ["--force, -f", "--regex, -r"],
  stop: [],
  list: ["--format table|json, -f table|json", "--all, -a", "--quiet, -q"],
  ps: ["--format table|json, -f table|json"],
  events: ["--interval TIME", "--stats"],
  update: [
    "--resources FILE, -r FILE",
    "--from-file FILE, -f FILE",
    "--blkio-weight WEIGHT",
    "--cpu-period MICROSECONDS",
    "--cpu-quota MICROSECONDS",
    "--cpu-burst MICROSECONDS",
    "--cpu-share SHARES",
    "--cpu-rt-period MICROSECONDS",
    "--cpu-rt-runtime MICROSECONDS",
    "--cpu-idle 0|1",
    "--cpuset-cpus LIST",
    "--cpuset-mems LIST",
    "--kernel-memory BYTES",
    "--kernel-memory-tcp BYTES",
    "--memory BYTES",
    "--memory-reservation BYTES",
    "--memory-swap BYTES",
    "--pids-limit N",
    "--l3-cache-schema SCHEMA",
    "--mem-bw-schema SCHEMA",
  ],
  mounts: [],
  pause: [],
  resume: [],
  checkpoint: [
    "--image-path DIR",
    "--work-path DIR",
    "--tcp-established",
    "--ext-unix-sk",
    "--shell-job",
    "--file-locks",
    "--lazy-pages",
    "--auto-dedup",
    "--manage-cgroups-mode soft|full|strict|ignore|none|props",
    "--network-lock iptables|nftables|skip",
    "--empty-ns network",
    "--parent-path DIR",
    "--pre-dump",
    "--leave-running",
    "--tcp-skip-in-flight",
    "--link-remap",
    "--page-server ADDRESS:PORT",
    "--status-fd FD",
  ],
  restore: [
    "--image-path DIR",
    "--work-path DIR",
    "--tcp-established",
    "--ext-unix-sk",
    "--shell-job",
    "--file-locks",
    "--lazy-pages",
    "--auto-dedup",
    "--manage-cgroups-mode soft|full|strict|ignore|none|props",
    "--network-lock iptables|nftables|skip",
    "--empty-ns network",
    "--bundle DIR, -b DIR",
    "--pid-file FILE",
    "--console-socket SOCKET",
    "--detach, -d",
    "--no-subreaper",
    "--no-pivot",
    "--tcp-close",
    "--lsm-profile TYPE:NAME",
    "--lsm-mount-context CONTEXT",
  ],
  plan: [
    "--bundle DIR, -b DIR",
    "--config FILE, -f FILE",
    "--no-pivot",
    "--no-new-keyring",
    "--keep-groups",
    "--preserve-fds N",
  ],
  spec: ["--bundle DIR, -b DIR", "--file FILE, -f FILE", "--rootless"],
  features: [],
  completion: [],
  version: [],
  help: [],
};

test.each(Object.keys(documented))("%s: its options, and the help made of them", async (verb) => {
  const help = renderCommandHelp(verb, verbs[verb]?.description ?? "", await definitionsOf(verb));
  const options = help
    .slice(help.indexOf("\nOPTIONS:\n"))
    .split("\n")
    .filter((line) => line.startsWith("   -"))
    .map((line) => line.trim().split("  ")[0]);
  expect(options).toEqual([...(documented[verb] ?? []), "--help, -h"]);
  expect(help).not.toContain("undefined");
});

test("every command is in the help, and calls itself what the help does", async () => {
  expect(Object.keys(verbs).sort()).toEqual(Object.keys(documented).sort());
  for (const [name, { description, load }] of Object.entries(verbs)) {
    expect(renderHelp(calledAs("bunc"))).toMatch(new RegExp(`^   ${name} +${description}$`, "m"));
    expect((await load()).command.meta as CommandMeta).toEqual({ name, description });
  }
});

test("options are named in kebab-case, on which src/cli/values.ts relies", async () => {
  const all = [globalArgs, ...(await Promise.all(Object.keys(verbs).map(definitionsOf)))];
  for (const name of all.flatMap((definitions) => Object.keys(definitions))) {
    expect(name).toMatch(/^[a-z][a-z0-9]*(-[a-z]+)*$/);
  }
});

async function createFrom(verb: string, ...argv: string[]): Promise<object> {
  const definitions = await definitionsOf(verb);
  const { args } = readArguments(argv, { command: verb, definitions });
  const values = readValues(args, definitions) as unknown as CreateValues;
  const log = new Log({ file: undefined, format: "text", level: "error" });
  const session: Session = { globals: { ...parseGlobals([]), root: "/" }, log };
  const { log: _, ...options } = createOptions(verb, values, session);
  return options;
}

const plain = {
  root: "/",
  id: "c",
  bundle: ".",
  configPath: undefined,
  pidFile: undefined,
  consoleSocket: undefined,
  pidfdSocket: undefined,
  noPivot: false,
  newKeyring: true,
  keepGroups: false,
  preserveFds: 0,
  listenFds: 0,
  notifySocket: undefined,
  cgroupManager: "cgroupfs",
  rootless: "auto",
  rootEmulation: undefined,
};

test.each<[string[], object]>([
  [[], {}],
  [["--bundle", "/b"], { bundle: "/b" }],
  [["-b", "/b"], { bundle: "/b" }],
  [["--config", "/c.json"], { configPath: "/c.json" }],
  [["-f", "/c.json"], { configPath: "/c.json" }],
  [["--pid-file", "/p"], { pidFile: "/p" }],
  [["--console-socket", "/s"], { consoleSocket: "/s" }],
  [["--pidfd-socket", "/s"], { pidfdSocket: "/s" }],
  [["--no-pivot"], { noPivot: true }],
  [["--keep-groups"], { keepGroups: true }],
  [["--no-new-keyring"], { newKeyring: false }],
  [["--preserve-fds", "2"], { preserveFds: 2 }],
  [["--preserve-fds=0"], {}],
  [["--no-subreaper"], {}],
  [["-no-subreaper", "-no-pivot"], { noPivot: true }],
])("create and run with %j", async (argv, expected) => {
  for (const verb of ["create", "run"]) {
    expect(await createFrom(verb, ...argv, "c")).toEqual({ ...plain, ...expected });
  }
});

test.each([
  [["--preserve-fds", "x"], '--preserve-fds: "x" is not a number of descriptors'],
  [["--preserve-fds", "-1"], '--preserve-fds: "-1" is not a number of descriptors'],
  [["--preserve-fds", "1.5"], '--preserve-fds: "1.5" is not a number of descriptors'],
  [["--preserve-fds", "9999999999"], '--preserve-fds: "9999999999" is not a number of descriptors'],
])("create refuses %j", async (argv, message) => {
  expect(createFrom("create", ...argv, "c")).rejects.toThrow(`create: ${message}`);
});
