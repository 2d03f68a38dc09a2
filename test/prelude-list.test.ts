/** `list` before the engine: the same table as by it, or left to it. */
import { describe, expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { briefOf } from "../src/linux/cgroups/brief.ts";
import { type BriefCgroups, renderRecord } from "../src/state/brief.ts";
import type { StateRecord } from "../src/state/record.ts";
import { sleeper } from "./support/config.ts";
import { oursOnly } from "./support/peers.ts";
import { asItComes, byEngine, type Done, traced, tracedTest } from "./support/prelude.ts";
import { exampleRecord } from "./support/record.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("prelude-list");

const record = exampleRecord({ pid: 4_000_000, processStartTime: 1 });

/** A state root with records of containers that have ended. */
function rootOf(records: readonly Partial<StateRecord>[], cgroups: BriefCgroups = briefOf(null)): string {
  const root = box.directory("root");
  for (const each of records) add(root, each.id ?? "", renderRecord({ ...record, ...each }, cgroups));
  return root;
}

function add(root: string, id: string, text: string | undefined): void {
  mkdirSync(join(root, id), { mode: 0o700 });
  if (text !== undefined) writeFileSync(join(root, id, "state.json"), text, { mode: 0o600 });
}

/** Who has done the work, when both do the same. */
async function workerOf(root: string, ...args: string[]): Promise<Done> {
  const engine = await byEngine(["--root", root, ...args]);
  const done = await traced(box, ["--root", root, ...args]);
  expect({ ...done, worker: undefined }).toEqual({ ...engine, worker: undefined } as never);
  return done;
}

describe("the prelude prints", () => {
  tracedTest("containers in every status", async () => {
    const created = await box.create(sleeper());
    const running = await box.create(sleeper());
    await running.start();
    const paused = await box.create(sleeper());
    await paused.start();
    expect((await paused.call("pause")).status).toBe(0);
    const ended = await box.create(sleeper());
    await ended.start();
    await ended.kill("KILL");
    await ended.exit();
    const { worker, stdout } = await workerOf(box.state, "list");
    expect(worker).toBe("prelude");
    for (const [container, words] of [
      [created, [created.pid, "created"]],
      [running, [running.pid, "running"]],
      [paused, [paused.pid, "paused"]],
      [ended, [0, "stopped"]],
    ] as const) {
      const line = stdout.split("\n").find((each) => each.startsWith(`${container.id} `)) ?? "";
      expect(line.split(/ +/).slice(1, 4)).toEqual([...words.map(String), container.bundle.path]);
    }
    expect((await paused.call("resume")).status).toBe(0);
  });

  tracedTest("none", async () => {
    const { worker, stdout } = await workerOf(rootOf([]), "list");
    expect([worker, stdout]).toEqual([
      "prelude",
      "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n",
    ]);
  });

  tracedTest("columns as wide as they must be, by the order of names", async () => {
    const ids = ["b", "a", "a-b", "a.b", "B", "_", "+x", "10", "9", "f".repeat(64), "exactly-9", "eight--8"];
    const root = rootOf(
      ids.map((id, index) => ({ id, bundle: `/b${"u".repeat(index * 9)}`, owner: `owner${index}` })),
    );
    writeFileSync(join(root, "file"), "no container");
    mkdirSync(join(root, ".cache"));
    const { worker, stdout } = await workerOf(root, "list");
    expect(worker).toBe("prelude");
    const shown = stdout.split("\n").slice(1, -1);
    expect(shown.map((line) => line.split(" ")[0] ?? "")).toEqual([...ids].sort());
  });

  oursOnly("hundreds", async () => {
    // In no order, with names that are beginnings of others.
    const ids = Array.from({ length: 700 }, (_, index) => `c${(index * 7919) % 1000}`);
    const root = rootOf([...new Set(ids)].map((id) => ({ id })));
    const [prelude, engine] = [
      await asItComes(["--root", root, "list"]),
      await byEngine(["--root", root, "list"]),
    ];
    expect(prelude).toEqual(engine);
    expect(prelude.stdout.split("\n")).toHaveLength(new Set(ids).size + 2);
  });
});

describe("to the engine is left", () => {
  const one = { id: "one" };
  const cases: readonly [string, () => string, readonly string[]][] = [
    ["JSON", () => rootOf([one]), ["list", "--format", "json"]],
    ["ids alone", () => rootOf([one]), ["list", "--quiet"]],
    ["an option that there is not", () => rootOf([one]), ["list", "--nonsense"]],
    ["a word too many", () => rootOf([one]), ["list", "one"]],
    ["a state root that is not there", () => join(box.path, "nowhere"), ["list"]],
    ["a bundle in another script", () => rootOf([one, { id: "two", bundle: "/bündle" }]), ["list"]],
    ["a bundle that JSON escapes", () => rootOf([one, { id: "two", bundle: '/a"b\\c\n' }]), ["list"]],
    ["an annotation in another script", () => rootOf([{ ...one, annotations: { ü: "ü" } }]), ["list"]],
    ["nobody's", () => rootOf([{ ...one, owner: "" }]), ["list"]],
    ["a record without a brief part", () => rootOf([one], { freezer: "\n", directories: [] }), ["list"]],
  ];
  for (const [title, make, args] of cases) {
    tracedTest(title, async () => {
      const done = await workerOf(make(), ...args);
      expect(done.worker).toBe("engine");
    });
  }

  tracedTest("what is on its way, or damaged, or no container's", async () => {
    const root = rootOf([one]);
    add(root, "begun", undefined);
    expect(await workerOf(root, "list")).toMatchObject({ worker: "engine", status: 0, stderr: "" });
    add(root, "damaged", "{");
    const done = await workerOf(root, "list");
    expect([done.worker, done.status]).toEqual(["engine", 0]);
    expect(done.stderr).toContain("damaged");
    const other = rootOf([one]);
    add(other, "a b", undefined);
    expect((await workerOf(other, "list")).worker).toBe("engine");
  });

  oursOnly("an output that takes nothing", async () => {
    const root = rootOf([one]);
    const full = { wrap: ["sh", "-c", 'exec "$@" > /dev/full', "sh"] };
    const [prelude, engine] = [
      await asItComes(["--root", root, "list"], full),
      await byEngine(["--root", root, "list"], full),
    ];
    expect(prelude).toEqual(engine);
    expect([prelude.status, prelude.stderr]).toEqual([1, expect.stringContaining("ENOSPC")]);
  });
});
