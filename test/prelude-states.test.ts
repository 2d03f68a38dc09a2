/**
 * Containers about which something is special, and several callers at once: what the prelude leaves to the
 * engine, and what it must not do by halves.
 */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findGroups } from "./support/cgroups.ts";
import { command, isAlive, until } from "./support/command.ts";
import { type Change, type Config, config, inherit, shell, sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { reap } from "./support/libc.ts";
import { oursOnly } from "./support/peers.ts";
import { asItComes, byEngine, outcome, traced, tracedTest } from "./support/prelude.ts";
import { type ContainerOptions, workspace } from "./support/workspace.ts";

const box = workspace("prelude-states");
const root = ["--root", box.state];

/** Does the same to two containers, of which the prelude gets one and the engine the other: it comes to the same. */
async function twins(
  make: () => Promise<Container>,
  line: (id: string) => readonly string[],
): Promise<[ReturnType<typeof outcome>, Container, Container]> {
  const [one, other] = [await make(), await make()];
  const engine = outcome(other, await byEngine([...root, ...line(other.id)]));
  const { worker, ...usual } = await traced(box, [...root, ...line(one.id)]);
  expect([line("ID"), worker, outcome(one, usual)]).toEqual([line("ID"), "engine", engine]);
  return [engine, one, other];
}

async function running(change: Change = () => {}): Promise<Container> {
  const container = await box.create(sleeper(change));
  await container.start();
  return container;
}

async function stopped(change?: Change): Promise<Container> {
  const container = await running(change);
  await container.kill("KILL");
  await container.exit();
  return container;
}

describe("start", () => {
  const start = (id: string) => ["start", id];

  tracedTest("of what is started, paused, ended or without a process", async () => {
    const { process: _, ...withoutProcess } = config();
    const cases: [string, () => Promise<Container>][] = [
      ["has been started already", () => running()],
      [
        "it is paused",
        async () => {
          const container = await box.create(sleeper());
          await container.call("pause");
          return container;
        },
      ],
      [
        "its init has ended",
        async () => {
          const container = await box.create(sleeper());
          await container.kill("KILL");
          await container.exit();
          return container;
        },
      ],
      ["has been started already", () => stopped()],
      ["no process to start", () => box.create(withoutProcess as Config)],
    ];
    for (const [words, make] of cases) {
      const [engine] = await twins(make, start);
      expect(engine).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining(words) });
    }
  });

  tracedTest("of a program that cannot be executed: the engine explains it", async () => {
    const options: ContainerOptions = {
      prepare: (rootfs) => writeFileSync(join(rootfs, "bin/bad"), "#!/nowhere\n", { mode: 0o755 }),
    };
    const bad = config((result) => (result.process.args = ["/bin/bad"]));
    const [engine] = await twins(() => box.create(bad, options), start);
    expect(engine).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^bunc: .*execve.*ENOENT.*\n$/),
    });
    // Told once, and to every later one, that it cannot be started.
    const container = await box.create(bad, options);
    const all = await Promise.all([1, 2, 3].map(() => asItComes([...root, "start", container.id])));
    expect(all.map(({ status }) => status)).toEqual([1, 1, 1]);
    expect(all.filter(({ stderr }) => stderr.includes("execve"))).toHaveLength(1);
    expect(await container.status()).toBe("stopped");
  });

  tracedTest("of one with hooks runs them, and of one without does not wait for NOTIFY_SOCKET", async () => {
    const file = join(box.path, "hook-ran");
    const hook = { path: "/bin/sh", args: ["sh", "-c", `echo ran >> ${file}`] };
    const [engine] = await twins(
      () => box.create(sleeper((result) => (result.hooks = { poststart: [hook] }))),
      start,
    );
    expect([engine.status, readFileSync(file, "utf8")]).toEqual([0, "ran\nran\n"]);
    const container = await box.create(sleeper());
    const env = { NOTIFY_SOCKET: join(box.path, "nobody") };
    expect(await traced(box, [...root, "start", container.id], { env })).toMatchObject({
      status: 0,
      worker: "prelude",
    });
  });

  tracedTest("waits for a lock that somebody holds, and so does delete", async () => {
    const container = await box.create(sleeper());
    const directory = join(box.state, container.id);
    for (const line of [["start"], ["delete", "--force"]]) {
      const ready = join(box.path, `held-${line[0]}`);
      const holder = command(["flock", directory, "sh", "-c", `touch ${ready}; sleep 0.4`]);
      await until("the lock is held", () => existsSync(ready));
      const began = Date.now();
      const done = await traced(box, [...root, ...line, container.id]);
      expect([line, done]).toEqual([line, { status: 0, stdout: "", stderr: "", worker: "engine" }]);
      expect(Date.now() - began).toBeGreaterThan(200);
      await holder;
    }
    expect(existsSync(directory)).toBe(false);
  });
});

describe("delete", () => {
  tracedTest("of what runs, is created or paused", async () => {
    const [refused, one, other] = await twins(
      () => running(),
      (id) => ["delete", id],
    );
    expect(refused).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("is running: stop it first"),
    });
    for (const each of [one, other]) expect(isAlive(each.pid)).toBe(true);
    for (const make of [() => running(), () => box.create(sleeper())]) {
      const [engine, ...both] = await twins(make, (id) => ["delete", "--force", id]);
      expect(engine).toEqual({ status: 0, stdout: "", stderr: "", files: undefined });
      for (const each of both) expect([await each.exit(), findGroups(each.id)]).toEqual([137, []]);
    }
    const [gone] = await twins(
      () => box.create(sleeper()),
      (id) => ["delete", id],
    );
    expect(gone.status).toBe(0);
  });

  tracedTest("of one with hooks runs them, and of a busy cgroup ends who is in it", async () => {
    const file = join(box.path, "poststop-ran");
    const hook = { path: "/bin/sh", args: ["sh", "-c", `echo ran >> ${file}`] };
    const change: Change = (result) => (result.hooks = { poststop: [hook] });
    const [engine] = await twins(
      () => stopped(change),
      (id) => ["delete", id],
    );
    expect([engine.status, readFileSync(file, "utf8")]).toEqual([0, "ran\nran\n"]);
    const left: number[] = [];
    const [busy, ...both] = await twins(
      async () => {
        const container = await box.create(
          shell("sleep 1000 & echo $!; exec sleep 1000", (result) => inherit(result, "pid")),
        );
        await container.start();
        left.push(await until("its child runs", () => Number(container.stdout) || undefined));
        process.kill(container.pid, "SIGKILL");
        await container.exit();
        return container;
      },
      (id) => ["delete", id],
    );
    expect(busy).toMatchObject({ status: 0, stdout: "", stderr: "", files: undefined });
    expect([both.flatMap(({ id }) => findGroups(id)), left.length]).toEqual([[], 2]);
    for (const pid of left) await until("it has ended", () => reap(pid) ?? !isAlive(pid));
  });

  tracedTest("removes what else there is in the directory, in however many files", async () => {
    for (const count of [3, 300]) {
      const [engine] = await twins(
        async () => {
          const container = await stopped();
          const directory = join(box.state, container.id);
          for (let index = 0; index < count; index++)
            writeFileSync(join(directory, `${"x".repeat(index % 200)}${index}`), "");
          mkdirSync(join(directory, "notify"), { recursive: true });
          return container;
        },
        (id) => ["delete", id],
      );
      expect(engine).toEqual({ status: 0, stdout: "", stderr: "", files: undefined });
    }
  });
});

describe("kill", () => {
  tracedTest("of one that is paused: KILL lets it go, so that it ends", async () => {
    const [engine, ...both] = await twins(
      async () => {
        const container = await running();
        expect((await container.call("pause")).status).toBe(0);
        return container;
      },
      (id) => ["kill", id, "KILL"],
    );
    expect(engine).toMatchObject({ status: 0, stderr: "" });
    for (const each of both) expect(await each.exit()).toBe(137);
  });
});

describe("several callers at once", () => {
  oursOnly(
    "of those that start it, one does; of those that delete it, each is content or finds it gone",
    async () => {
      for (let round = 0; round < 5; round++) {
        const container = await box.create(sleeper());
        const starts = await Promise.all([1, 2, 3, 4].map(() => asItComes([...root, "start", container.id])));
        expect(starts.map(({ status }) => status).sort()).toEqual([0, 1, 1, 1]);
        expect(await container.status()).toBe("running");
        await container.kill("KILL");
        await container.exit();
        const deletes = await Promise.all(
          [1, 2, 3, 4].map(() => asItComes([...root, "delete", "--force", container.id])),
        );
        expect(deletes.map(({ status, stderr }) => [status, stderr])).toEqual(Array(4).fill([0, ""]));
        expect([existsSync(join(box.state, container.id)), findGroups(container.id)]).toEqual([false, []]);
      }
    },
  );
});
