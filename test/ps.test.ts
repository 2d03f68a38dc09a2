/** ps: the processes of a container, as ps(1) shows them. */
import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./support/command.ts";
import { config, inherit, shell, sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { runtimeKind } from "./support/machine.ts";
import { oursOnly, peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("ps");
const withPs = peersDiffer({ crun: "it prints process ids alone, and its cgroup manager is disabled here" });

/** The shell and its child. */
async function pair(): Promise<Container & { pids: number[] }> {
  const container = await box.create(shell("sleep 1000 & echo ready; wait"));
  await container.start();
  await until("the child", () => container.stdout.includes("ready"));
  const pids = await until("its number", () => {
    const text = readFileSync(`/proc/${container.pid}/task/${container.pid}/children`, "utf8").trim();
    return text !== "" && [container.pid, ...text.split(" ").map(Number)].sort((a, b) => a - b);
  });
  return Object.assign(container, { pids });
}

const lines = (text: string) => text.trimEnd().split("\n");

describe("ps", () => {
  withPs("a table as ps -ef has it", async () => {
    const container = await pair();
    const { status, stdout } = await container.call("ps");
    expect(status).toBe(0);
    expect(lines(stdout)[0]?.trim()).toMatch(/^UID +PID +PPID .*CMD$/);
    expect(
      lines(stdout)
        .slice(1)
        .map((line) => Number(line.trim().split(/\s+/)[1])),
    ).toEqual(container.pids);
  });

  withPs("the options are ps(1)'s own", async () => {
    const container = await pair();
    const [init, child] = container.pids;
    for (const options of [
      ["-A", "-o", "pid,args"],
      ["-Ao", "pid,args"],
    ]) {
      const { status, stdout } = await container.call("ps", ...options);
      expect([status, stdout.split("\n")[0]?.trim().split(/\s+/)]).toEqual([0, ["PID", "COMMAND"]]);
      expect(lines(stdout).slice(1).join("\n")).toMatch(
        new RegExp(`^ *${init} sh -c sleep.*\\n *${child} sleep 1000$`),
      );
    }
    const refused = await container.call("ps", "-A", "-o", "args");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("PID");
    const wrong = await container.call("ps", "--no-such-option");
    expect(wrong.status).toBe(1);
  });

  peersDiffer({ crun: "its cgroup manager is disabled here" })("as JSON, the process ids", async () => {
    const container = await pair();
    for (const flags of [["--format", "json"], ["-f", "json"], ["--format=json"]]) {
      const { status, stdout } = await box.runtime(["ps", ...flags, container.id]);
      expect(status).toBe(0);
      expect((JSON.parse(stdout) as number[]).sort((a, b) => a - b)).toEqual(container.pids);
    }
  });

  rootTest("a form that does not exist is refused", async () => {
    expect((await box.runtime(["ps", "--format", "xml", "c"])).status).not.toBe(0);
  });

  peersDiffer({ crun: "its cgroup manager is disabled here" })(
    "a created container has its init, a stopped one nothing",
    async () => {
      const container = await box.create(config());
      const created = await box.runtime(["ps", "-f", "json", container.id]);
      expect(JSON.parse(created.stdout)).toEqual([container.pid]);
      await container.start();
      await container.exit();
      const stopped = await container.call("ps");
      expect([stopped.status, lines(stopped.stdout).length]).toEqual([0, 1]);
      // runc writes null.
      const json = await box.runtime(["ps", "-f", "json", container.id]);
      expect(JSON.parse(json.stdout) ?? []).toEqual([]);
    },
  );

  rootTest("a container that is not there", async () => {
    const { status, stderr } = await box.runtime(["ps", "no-such-container"]);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(runtimeKind === "crun" ? /no-such-container/ : /does not exist/);
  });

  oursOnly("without a cgroup they are those of the pid namespace; without that nobody knows", async () => {
    const manager = { globals: ["--cgroup-manager", "disabled"] };
    const plain = shell("sleep 1000 & echo ready; wait", (result) => delete result.linux.resources);
    const container = await box.create(plain, manager);
    await container.start();
    await until("the child", () => container.stdout.includes("ready"));
    const { stdout } = await box.runtime(["ps", "-f", "json", container.id]);
    expect((JSON.parse(stdout) as number[]).length).toBe(2);
    const shared = await box.create(
      sleeper((result) => {
        delete result.linux.resources;
        inherit(result, "pid");
      }),
      manager,
    );
    const refused = await shared.call("ps");
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringContaining("neither a cgroup nor a pid namespace"),
    ]);
  });

  oursOnly("without ps(1), the process ids alone", async () => {
    const container = await pair();
    const { stdout } = await box.runtime(["ps", container.id], {
      env: { PATH: join(box.path, "nothing-here") },
    });
    expect(stdout).toBe(`PID\n${container.pids.join("\n")}\n`);
  });
});
