/** The files in which a container is remembered: whole or not at all, and what is wrong with one is said in a line. */
import { describe, expect } from "bun:test";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "./support/command.ts";
import { config, sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { runtimeKind, runtimePath } from "./support/machine.ts";
import { oursOnly, peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("state-files");
const record = (container: Container) => join(box.state, container.id, "state.json");

async function start(): Promise<Container> {
  const container = await box.create(sleeper());
  await container.start();
  return container;
}

/** Every command that reads the record, with arguments that would do. */
const readers: readonly (readonly string[])[] = [
  ["state"],
  ["start"],
  ["kill"],
  ["kill", "--all"],
  ["delete"],
  ["ps"],
  ["events", "--stats"],
  ["update", "--pids-limit", "5"],
  ["pause"],
  ["resume"],
];

describe("a record that cannot be read", () => {
  const whole = JSON.stringify({ version: 1 });
  const damages: [string, (text: string) => string, string][] = [
    ["is empty", () => "", "is damaged"],
    ["ends too early", (text) => text.slice(0, text.length / 2), "is damaged"],
    ["is no JSON", () => "not JSON", "is damaged"],
    ["is null", () => "null", "is damaged"],
    ["is a list", () => "[]", "is damaged"],
    ["lacks what makes it one", () => whole, "is damaged"],
    [
      "is another container's",
      (text) => text.replace(/"id": *"[^"]*"/, '"id": "somebody-else"'),
      "is damaged",
    ],
    ["has a pid that is none", (text) => text.replace(/"pid":\d+/, '"pid":-1'), "is damaged"],
    [
      "is a newer bunc's",
      (text) => text.replace('"version":1', '"version":2').replace('"brief":[1', '"brief":[2'),
      "was made by a newer bunc",
    ],
  ];

  for (const [title, damage, words] of damages) {
    oursOnly(`it ${title}: every command says so in a line, and none does anything`, async () => {
      const container = await start();
      const text = readFileSync(record(container), "utf8");
      writeFileSync(record(container), damage(text));
      for (const [verb = "", ...flags] of readers) {
        const { status, stdout, stderr } = await box.runtime([verb, ...flags, container.id]);
        expect([verb, status, stdout]).toEqual([verb, 1, ""]);
        expect(stderr.trimEnd().split("\n")).toHaveLength(1);
        expect(stderr).toContain(words);
        expect(stderr).not.toMatch(/internal error|TypeError|undefined/);
      }
      const exec = await box.runtime(["exec", container.id, "true"]);
      expect([exec.status, exec.stderr]).toEqual([255, expect.stringContaining(words)]);
      // The others are listed, and the damage is seen.
      const list = await box.runtime(["list", "--quiet"]);
      expect([list.status, list.stdout.includes(container.id)]).toEqual([0, false]);
      expect(list.stderr).toContain(words);
      writeFileSync(record(container), text);
      expect(await container.status()).toBe("running");
    });
  }

  oursOnly("a part that only later commands need is damaged: they say so", async () => {
    const container = await start();
    const text = readFileSync(record(container), "utf8");
    for (const [key, value] of [
      ["cgroup", { kind: "v1" }],
      ["cgroup", 5],
      ["annotations", 7],
    ] as const) {
      writeFileSync(record(container), JSON.stringify({ ...JSON.parse(text), [key]: value }));
      for (const verb of ["state", "ps", "pause"]) {
        const { stderr } = await container.call(verb);
        expect([key, verb, stderr]).not.toEqual([
          key,
          verb,
          expect.stringMatching(/internal error|TypeError/),
        ]);
      }
    }
    writeFileSync(record(container), text);
  });

  oursOnly("the kept config.json is gone, or damaged", async () => {
    const container = await start();
    const kept = join(box.state, container.id, "config.json");
    const text = readFileSync(kept, "utf8");
    writeFileSync(kept, text.slice(0, 100));
    for (const args of [
      ["update", "--pids-limit", "5", container.id],
      ["exec", container.id, "true"],
    ]) {
      const { status, stderr } = await box.runtime(args);
      expect([status === 0, stderr.trimEnd().split("\n").length]).toEqual([false, 1]);
    }
    rmSync(kept);
    for (const args of [
      ["update", "--pids-limit", "5", container.id],
      ["exec", container.id, "true"],
    ]) {
      expect((await box.runtime(args)).stderr).toContain(`${kept} is missing`);
    }
  });
});

describe("whole or not at all", () => {
  oursOnly("nothing but the files that belong there is left, whatever was done", async () => {
    const container = await start();
    const before = readdirSync(join(box.state, container.id)).sort();
    expect((await box.runtime(["update", "--pids-limit", "50", container.id])).status).toBe(0);
    await container.call("pause");
    await container.call("resume");
    expect(readdirSync(join(box.state, container.id)).sort()).toEqual(before);
  });
});

describe("bunc is killed before the record has its name", () => {
  oursOnly("the id is taken, create says why, and delete --force takes everything away", async () => {
    const container = await box.create(sleeper());
    renameSync(record(container), join(box.state, container.id, ".state.json.1.0.tmp"));
    expect((await box.runtime(["list", "--quiet"])).stdout).not.toContain(container.id);
    expect((await container.call("state")).stderr).toContain("does not exist");
    const again = await box.runtime(["create", "--bundle", container.bundle.path, container.id]);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining("already exists, unfinished")]);
    const removed = await box.runtime(["delete", "--force", container.id]);
    expect([removed.status, removed.stderr]).toEqual([0, expect.stringContaining("is removed")]);
    expect(existsSync(join(box.state, container.id))).toBe(false);
    expect(await container.exit()).toBe(137);
  });
});

describe("a full disk", () => {
  oursOnly("is said in one line that names the file, and nothing of the container stays", async () => {
    const { path } = box.bundle(sleeper());
    const full = box.directory("full");
    const create = [runtimePath, "--root", full, "create", "--bundle", path, box.id()].join(" ");
    // A page more each time: the space ends at every place at which it can end.
    const script = `mount -t tmpfs -o size=4k tmpfs ${full}
      for pages in $(seq 1 60); do
        mount -o remount,size=$((4 * pages))k ${full}
        ${create} > ${path}/said 2>&1 < /dev/null && break
        echo "left: $(ls -A ${full})"; cat ${path}/said
      done
      ${create.replace(" create --bundle ", " delete --force ").replace(` ${path}`, "")}`;
    const wrap = ["unshare", "--mount", "--propagation", "private"];
    const { status, stdout, stderr } = await command([...wrap, "sh", "-c", script]);
    expect([status, stderr]).toEqual([0, ""]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(4);
    lines.forEach((line, index) => {
      if (index % 2 === 0) expect(line).toBe("left: ");
      else expect(line).toMatch(/^bunc: .*\/full.*ENOSPC.* is full; make room there.*$/);
    });
  });
});

describe("two callers at once", () => {
  peersDiffer({ runc: "both may fail" })(
    "one creates the container, the other is told that it exists",
    async () => {
      const id = box.id();
      const { path } = box.bundle(config());
      const both = await Promise.all(
        [1, 2].map(() => box.runtime(["run", "--detach", "--bundle", path, id])),
      );
      const failed = both.filter(({ status }) => status !== 0);
      expect(failed).toHaveLength(1);
      expect(failed[0]?.stderr).toMatch(/exist/);
    },
  );

  rootTest("one deletes it, and the other finds it gone or goes along", async () => {
    const container = await start();
    const all = await Promise.all([1, 2, 3].map(() => box.runtime(["delete", "--force", container.id])));
    expect(all.map(({ status, stderr }) => [status, stderr])).toEqual(Array(3).fill([0, ""]));
    expect((await container.call("state")).status).not.toBe(0);
  });

  oursOnly("of many that pause, one does; of many that resume, one does", async () => {
    const container = await start();
    for (const [verb, status] of [
      ["pause", "paused"],
      ["resume", "running"],
    ] as const) {
      const all = await Promise.all([1, 2, 3, 4].map(() => container.call(verb)));
      expect(all.filter((each) => each.status === 0)).toHaveLength(1);
      expect(await container.status()).toBe(status);
    }
  });

  rootTest(
    "of exec and delete, exec runs its program or says that the container is none any more",
    async () => {
      for (let round = 0; round < 8; round++) {
        const container = await start();
        const [exec, removed] = await Promise.all([
          box.runtime(["exec", container.id, "true"]),
          box.runtime(["delete", "--force", container.id]),
        ]);
        expect([removed.status, removed.stderr]).toEqual([0, ""]);
        if (runtimeKind !== "bunc" || exec.status === 0 || exec.status === 137) continue;
        expect(exec.stderr).toMatch(/^bunc: (cannot exec in a stopped container:|container) "[^\n]*\n$/);
      }
    },
  );

  oursOnly("of two that start it, one does", async () => {
    const container = await box.create(sleeper());
    const all = await Promise.all([1, 2].map(() => container.call("start")));
    expect(all.map(({ status }) => status).sort()).toEqual([0, 1]);
    expect(all.find(({ status }) => status === 1)?.stderr).toContain("has been started already");
  });
});
