/**
 * What runs before the engine: state, start, kill and delete in their usual forms. Each is done without the engine, and
 * with the same result as by it.
 */
import { describe, expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SIG } from "../ffi/constants/signal.ts";
import { findGroups } from "./support/cgroups.ts";
import { isAlive, until } from "./support/command.ts";
import { type Change, sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { byEngine, filesOf, outcome, traced, tracedTest } from "./support/prelude.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("prelude");
const root = ["--root", box.state];

/** The options before a command, in all forms that callers use. */
const globals: readonly (readonly string[])[] = [
  root,
  [`--root=${box.state}`],
  [`--root=${box.state}/`],
  ["--root", "/nonexistent", ...root],
  [...root, "--log", join(box.path, "log"), "--log-format", "json"],
  [...root, `--log=${box.path}/log`, "--log-format=text", "--log-level", "info"],
  [...root, "--log-level=error", "--cgroup-manager", "cgroupfs"],
  [...root, "--systemd-cgroup", "--rootless", "auto", "--keep-groups", "--root-emulation=none"],
];

const annotated: Change = (result) => {
  result.annotations = { 'ä\n\u0007"': "ü😀\\\u2028\ud800", b: "]},", "1": "", __proto: "x" };
};

const withoutCgroups = ["--cgroup-manager=disabled"];

async function created(change: Change = () => {}, flags: string[] = []): Promise<Container> {
  return box.create(sleeper(change), { globals: flags });
}

async function started(change?: Change, flags?: string[]): Promise<Container> {
  const container = await created(change, flags);
  await container.start();
  return container;
}

/** Ends init and, unless it is to stay a zombie, takes its exit status. */
async function end(container: Container): Promise<Container> {
  process.kill(container.pid, "SIGKILL");
  await container.zombie();
  return container;
}

async function reaped(container: Container): Promise<Container> {
  await end(container);
  expect(await container.exit()).toBe(137);
  return container;
}

/** Gives a container's record the number of another process. */
async function givenAway(container: Container): Promise<Container> {
  await reaped(container);
  const path = join(box.state, container.id, "state.json");
  const [before, after] = [container.pid, process.pid].map(String) as [string, string];
  const text = readFileSync(path, "utf8").replace(`,${before},`, `,${after},`);
  // The brief part counts the bytes of the other one.
  const grow = (_: string, start: string, all: string) =>
    start + (Number(all) + after.length - before.length);
  writeFileSync(
    path,
    text.replace(`"pid":${before},`, `"pid":${after},`).replace(/^(\{"brief":\[(?:\d+,){6})(\d+)/, grow),
  );
  return container;
}

const statuses: readonly [string, string, (flags: string[]) => Promise<Container>][] = [
  ["created", "created", (flags) => created(annotated, flags)],
  ["running", "running", (flags) => started(annotated, flags)],
  ["stopped", "stopped", async (flags) => reaped(await started(annotated, flags))],
  ["killed, its init a zombie", "stopped", async (flags) => end(await started(annotated, flags))],
  [
    "ended, its number another process's",
    "stopped",
    async (flags) => givenAway(await started(annotated, flags)),
  ],
];

/** Twins, of which the prelude gets one and the engine the other. */
async function twins(make: () => Promise<Container>): Promise<[Container, Container]> {
  return [await make(), await make()];
}

describe("state", () => {
  for (const flags of [[], withoutCgroups]) {
    for (const [title, status, make] of statuses) {
      tracedTest(`of a container that is ${title} (${flags.join(" ") || "with cgroups"})`, async () => {
        const container = await make(flags);
        const engine = await byEngine([...root, "state", container.id]);
        const { worker, ...prelude } = await traced(box, [...root, "state", container.id]);
        expect([worker, prelude]).toEqual(["prelude", engine]);
        expect(JSON.parse(prelude.stdout)).toMatchObject({
          status,
          pid: status === "stopped" ? 0 : container.pid,
        });
        expect([prelude.status, prelude.stderr]).toEqual([0, ""]);
      });
    }
  }

  tracedTest("of a container that is paused, before its start and after it", async () => {
    const container = await created();
    for (const word of ["paused", "paused"]) {
      expect((await container.call("pause")).status).toBe(0);
      const engine = await byEngine([...root, "state", container.id]);
      const { worker, ...prelude } = await traced(box, [...root, "state", container.id]);
      expect([worker, prelude]).toEqual(["prelude", engine]);
      expect(JSON.parse(prelude.stdout).status).toBe(word);
      expect((await container.call("resume")).status).toBe(0);
      if ((await container.status()) === "created") await container.start();
    }
  });

  tracedTest("with every usual option before it", async () => {
    const container = await started();
    for (const form of globals) {
      const engine = await byEngine([...form, "state", container.id]);
      const { worker, ...prelude } = await traced(box, [...form, "state", container.id]);
      expect([form, worker, prelude]).toEqual([form, "prelude", engine]);
      expect(JSON.parse(prelude.stdout).id).toBe(container.id);
    }
    expect(readFileSync(join(box.path, "log"), "utf8")).toBe("");
  });

  tracedTest("has its own process in the record's number, and is told by its start time", async () => {
    const container = await givenAway(await started());
    const { stdout, worker } = await traced(box, [...root, "state", container.id]);
    expect(readFileSync(join(box.state, container.id, "state.json"), "utf8")).toContain(
      `"pid":${process.pid},`,
    );
    expect([worker, JSON.parse(stdout)]).toEqual([
      "prelude",
      expect.objectContaining({ status: "stopped", pid: 0 }),
    ]);
    // Nobody signals it.
    const kill = await traced(box, [...root, "kill", container.id, "KILL"]);
    expect([kill.status, kill.stderr]).toEqual([1, expect.stringContaining("container not running")]);
  });
});

describe("start", () => {
  for (const form of globals) {
    tracedTest(`${form.join(" ").replaceAll(box.path, "…")} start`, async () => {
      const [one, other] = await twins(() => created());
      const engine = outcome(other, await byEngine([...form, "start", other.id]));
      const { worker, ...finished } = await traced(box, [...form, "start", one.id]);
      expect([worker, outcome(one, finished)]).toEqual(["prelude", engine]);
      expect(engine).toMatchObject({ status: 0, stdout: "", stderr: "" });
      expect(engine.files).not.toContain("start");
      for (const each of [one, other]) expect(await each.status()).toBe("running");
    });
  }

  tracedTest("of a program that ends at once, and of one without cgroups", async () => {
    const short = await created((result) => {
      result.process.args = ["sh", "-c", "echo done; exit 3"];
    }, withoutCgroups);
    expect(await traced(box, [...root, "start", short.id])).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
      worker: "prelude",
    });
    expect([await short.exit(), short.stdout]).toEqual([3, "done\n"]);
  });
});

describe("kill", () => {
  /** Writes the name of each signal that it gets. */
  const names = ["HUP", "INT", "TERM", "USR1", "USR2", "CONT", "WINCH"] as const;
  const listener: Change = (result) => {
    const traps = names.map((name) => `trap 'echo ${name}' ${name}`).join("; ");
    result.process.args = ["sh", "-c", `${traps}; echo ready; while :; do sleep 0.02; done`];
  };

  tracedTest("sends TERM, or the signal of a name with and without SIG, or of a number", async () => {
    const container = await started(listener);
    await until("it listens", () => container.stdout === "ready\n");
    const expected = ["ready"];
    const send = async (name: string, ...words: string[]) => {
      const done = await traced(box, [...root, "kill", container.id, ...words]);
      expect([words, done]).toEqual([words, { status: 0, stdout: "", stderr: "", worker: "prelude" }]);
      expected.push(name);
      await until(`${words} arrives`, () => container.stdout === `${expected.join("\n")}\n`);
    };
    await send("TERM");
    for (const name of names) {
      await send(name, name);
      await send(name, `SIG${name}`);
      await send(name, String(SIG[name]));
    }
    // They only ask, or do nothing.
    for (const word of ["0", "00", "17", "64"]) {
      const done = await traced(box, [...root, "kill", container.id, word]);
      expect([done.status, done.worker]).toEqual([0, "prelude"]);
    }
    expect(await container.status()).toBe("running");
  });

  for (const form of globals) {
    tracedTest(`${form.join(" ").replaceAll(box.path, "…")} kill`, async () => {
      const [one, other] = await twins(() => started());
      const engine = outcome(other, await byEngine([...form, "kill", other.id, "KILL"]));
      const { worker, ...finished } = await traced(box, [...form, "kill", one.id, "KILL"]);
      expect([worker, outcome(one, finished)]).toEqual(["prelude", engine]);
      expect(engine).toMatchObject({ status: 0, stdout: "", stderr: "" });
      for (const each of [one, other]) expect(await each.exit()).toBe(137);
    });
  }

  tracedTest("ends a container that waits for its start, with and without cgroups", async () => {
    for (const flags of [[], withoutCgroups]) {
      const container = await created(undefined, flags);
      expect(await traced(box, [...root, "kill", container.id, "9"])).toMatchObject({
        status: 0,
        worker: "prelude",
      });
      expect(await container.exit()).toBe(137);
    }
  });
});

describe("delete", () => {
  const forms: readonly (readonly string[])[] = [
    ["ID"],
    ["--force", "ID"],
    ["ID", "-f"],
    ["-f", "ID", "--force"],
  ];

  for (const flags of [[], withoutCgroups]) {
    for (const form of forms) {
      tracedTest(`${form.join(" ")} of what has ended (${flags.join(" ") || "with cgroups"})`, async () => {
        const [one, other] = await twins(async () => reaped(await started(annotated, flags)));
        const args = (id: string) => [...root, "delete", ...form.map((word) => (word === "ID" ? id : word))];
        const engine = outcome(other, await byEngine(args(other.id)));
        const { worker, ...finished } = await traced(box, args(one.id));
        expect([worker, outcome(one, finished)]).toEqual(["prelude", engine]);
        expect(engine).toEqual({ status: 0, stdout: "", stderr: "", files: undefined });
        expect([...findGroups(one.id), ...findGroups(other.id)]).toEqual([]);
      });
    }
  }

  tracedTest(
    "with every usual option before it, of a zombie and of a number that is another process's",
    async () => {
      for (const form of globals) {
        const container = await (form === root ? givenAway(await started()) : end(await started()));
        const done = await traced(box, [...form, "delete", container.id]);
        expect([form, done]).toEqual([form, { status: 0, stdout: "", stderr: "", worker: "prelude" }]);
        expect([filesOf(container), findGroups(container.id)]).toEqual([undefined, []]);
      }
      expect(isAlive(process.pid)).toBe(true);
    },
  );
});
