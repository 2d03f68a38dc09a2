/** What callers look for in an error: containerd's shim, podman and cri-o match these words, on standard error and in the log. */
import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Config, config, shell, sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { runtimeKind } from "./support/machine.ts";
import { peersDiffer } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("caller-texts");
const textTest = peersDiffer({ crun: "it has words of its own" });

/** Runs a command with the log of containerd's shim; gives its status, its words, and the log's records. */
async function logged(args: readonly string[]) {
  const file = join(box.directory("log"), "log.json");
  const globals = ["--log", file, "--log-format", "json"];
  const { status, stdout, stderr } = await box.runtime([...args], { globals });
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // Nothing was said.
  }
  const records = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { level: string; msg: string; time: string });
  return { status, stdout, stderr, records };
}

/** A command that fails with such words, which are in the last error of the log, too. */
async function expectError(args: readonly string[], words: RegExp, status = 1): Promise<void> {
  const result = await logged(args);
  expect([args, result.status, result.stdout]).toEqual([args, status, ""]);
  expect(result.stderr).toMatch(words);
  const last = result.records.at(-1);
  expect(last?.level).toBe("error");
  expect(last?.msg).toMatch(words);
  expect(last?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
  if (runtimeKind === "bunc") expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
}

async function stopped(): Promise<Container> {
  const container = await box.create(config());
  await container.start();
  await container.exit();
  return container;
}

async function running(): Promise<Container> {
  const container = await box.create(sleeper());
  await container.start();
  return container;
}

describe("a container that is not there", () => {
  const verbs: readonly (readonly string[])[] = [
    ["state"],
    ["start"],
    ["kill"],
    ["delete"],
    ["ps"],
    ["pause"],
    ["resume"],
    ["events", "--stats"],
    ["update", "--pids-limit", "5"],
  ];
  for (const [verb = "", ...flags] of verbs) {
    textTest(verb, () => expectError([verb, ...flags, "no-such-container"], /does not exist/));
  }

  textTest("exec", () => expectError(["exec", "no-such-container", "true"], /does not exist/, 255));

  peersDiffer({})("delete --force is content", async () => {
    const { status, stdout, stderr, records } = await logged(["delete", "--force", "no-such-container"]);
    expect([status, stdout]).toEqual([0, ""]);
    if (runtimeKind === "bunc") expect([stderr, records]).toEqual(["", []]);
  });
});

describe("a container that has ended", () => {
  /** Any of these is enough for containerd. */
  const gone = /container not running|no such process|os: process already finished/;

  textTest("kill, by name and by number, and of everything", async () => {
    const { id } = await stopped();
    for (const args of [
      ["kill", id, "TERM"],
      ["kill", id, "9"],
      ["kill", id, "SIGKILL"],
      ["kill", id],
    ]) {
      await expectError(args, gone);
    }
  });

  textTest("kill --all is no error, or says that it does not run", async () => {
    const { id } = await stopped();
    const { status, stderr } = await logged(["kill", "--all", id, "KILL"]);
    if (status !== 0) expect(stderr).toMatch(gone);
  });

  textTest("pause, update, exec", async () => {
    const { id } = await stopped();
    await expectError(["pause", id], /container not running/);
    await expectError(["update", "--pids-limit", "5", id], /container not running/);
    await expectError(["exec", id, "true"], /stopped container/, 255);
  });

  textTest("state says so on standard output, and nothing anywhere else", async () => {
    const { status, stdout, stderr, records } = await logged(["state", (await stopped()).id]);
    expect([status, stderr, records, JSON.parse(stdout).status, JSON.parse(stdout).pid]).toEqual([
      0,
      "",
      [],
      "stopped",
      0,
    ]);
  });
});

describe("a container that runs", () => {
  textTest("delete, start, resume", async () => {
    const { id } = await running();
    await expectError(["delete", id], /running/);
    await expectError(["start", id], /start/);
    await expectError(["resume", id], /container not paused/);
  });

  textTest("one of its name cannot be created", async () => {
    const container = await running();
    await expectError(["create", "--bundle", container.bundle.path, container.id], /exist/);
  });
});

describe("a program that cannot be run", () => {
  const failing = async (args: string[], words: RegExp): Promise<void> => {
    const { path } = box.bundle(
      config((result: Config) => {
        result.process.args = args;
      }),
    );
    await expectError(["create", "--bundle", path, box.id()], words);
  };

  textTest("is missing: podman makes 127 of it", async () => {
    await failing(["no-such-program"], /executable file not found in/);
    await failing(["/no/such/program"], /no such file or directory/);
    const { id } = await running();
    await expectError(["exec", id, "no-such-program"], /executable file not found in/, 255);
    await expectError(["exec", id, "/no/such/program"], /no such file or directory/, 255);
  });

  textTest("is no program: podman makes 126 of it", async () => {
    await failing(["/etc"], /permission denied|is a directory/i);
    const { id } = await running();
    await expectError(["exec", id, "/etc/passwd"], /permission denied/, 255);
  });
});

textTest("signals by name, with SIG and without, and by number", async () => {
  for (const signal of ["USR1", "SIGUSR1", "10"]) {
    const container = await box.create(
      shell("trap 'echo got; exit 3' USR1; echo ready; while :; do sleep 0.01; done"),
    );
    await container.start();
    while (!container.stdout.includes("ready")) await Bun.sleep(10);
    expect((await container.kill(signal)).status).toBe(0);
    expect([signal, await container.exit()]).toEqual([signal, 3]);
  }
});
