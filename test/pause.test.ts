/** pause and resume, and what the other commands do with a paused container; on version 1 of the cgroups, and on version 2. */
import { beforeAll, describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { controllerRoot } from "./support/cgroups.ts";
import { until } from "./support/command.ts";
import { config, shell, sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { cgroups, isRoot, runtimeKind } from "./support/machine.ts";
import { oursOnly, testIf } from "./support/peers.ts";
import { PrivateMounts, plainCgroup2 } from "./support/private-mounts.ts";
import { type Workspace, workspace } from "./support/workspace.ts";

// A workspace has one view of the cgroups.
const machine = workspace("pause");
const unified = workspace("pause-v2");

beforeAll(async () => {
  if (isRoot && cgroups === "hybrid") unified.useMounts(await PrivateMounts.make(plainCgroup2));
});

/** A container whose shell counts the SIGUSR1 that it was sent, on standard output. */
async function counter(box: Workspace): Promise<Container> {
  const container = await box.create(
    shell("trap 'echo usr1' USR1; echo ready; while :; do sleep 0.01; done"),
  );
  await container.start();
  await until("the trap", () => container.stdout.includes("ready"));
  return container;
}

async function pause(container: Container): Promise<void> {
  expect(await container.call("pause")).toMatchObject({ status: 0, stdout: "", stderr: "" });
}

async function resume(container: Container): Promise<void> {
  expect(await container.call("resume")).toMatchObject({ status: 0, stdout: "", stderr: "" });
}

const layouts = [
  ["version 1", machine, controllerRoot("freezer") !== undefined, "no freezer of version 1"],
  ["version 2", unified, cgroups !== "v1", "no cgroup2"],
] as const;

for (const [name, box, possible, without] of layouts) {
  const pauseTest = testIf(
    isRoot && possible && runtimeKind !== "crun",
    possible ? "crun runs with its cgroup manager disabled here" : `this machine has ${without}`,
  );

  describe(name, () => {
    pauseTest("nothing of a paused container moves; state and list say so", async () => {
      const container = await counter(box);
      await pause(container);
      expect(await container.state()).toMatchObject({ status: "paused", pid: container.pid });
      expect((await box.runtime(["list"])).stdout).toMatch(
        new RegExp(`${container.id} +${container.pid} +paused`),
      );
      const ticks = () =>
        readFileSync(`/proc/${container.pid}/stat`, "utf8").split(" ").slice(13, 17).join(" ");
      const before = ticks();
      expect((await container.kill("USR1")).status).toBe(0);
      await Bun.sleep(100);
      expect([ticks(), container.stdout]).toEqual([before, "ready\n"]);
      await resume(container);
      expect(await container.status()).toBe("running");
      await until("the signal", () => container.stdout === "ready\nusr1\n");
      await container.delete("--force");
    });

    pauseTest("twice is an error, and so is to resume what is not paused", async () => {
      const container = await box.create(sleeper());
      await container.start();
      const notPaused = await container.call("resume");
      expect(notPaused.status).toBe(1);
      expect(notPaused.stderr).toContain("container not paused");
      await pause(container);
      expect((await container.call("pause")).status).toBe(1);
      expect(await container.status()).toBe("paused");
      await resume(container);
    });

    pauseTest("a created container can be paused; it starts when it is resumed", async () => {
      const container = await box.create(shell("echo ran"));
      await pause(container);
      expect(await container.status()).toBe("paused");
      const refused = await container.call("start");
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain("paused");
      await resume(container);
      expect(await container.status()).toBe("created");
      expect((await container.finish()).stdout).toBe("ran\n");
    });

    pauseTest("SIGKILL ends it", async () => {
      const container = await counter(box);
      await pause(container);
      expect((await container.kill("KILL")).status).toBe(0);
      expect(await container.exit()).toBe(137);
      expect(await container.status()).toBe("stopped");
      await container.delete();
    });

    pauseTest("kill --all reaches every process", async () => {
      const container = await counter(box);
      await pause(container);
      expect((await box.runtime(["kill", "--all", container.id, "KILL"])).status).toBe(0);
      expect(await container.exit()).toBe(137);
      await container.delete();
    });

    pauseTest("delete refuses it, and with --force ends it", async () => {
      const container = await counter(box);
      await pause(container);
      const refused = await container.call("delete");
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain("paused");
      await container.delete("--force");
      expect(await container.exit()).toBe(137);
    });

    pauseTest("exec refuses it unless that is to be ignored", async () => {
      const container = await counter(box);
      await pause(container);
      const refused = await box.runtime(["exec", container.id, "true"]);
      expect(refused.status).toBe(255);
      expect(refused.stderr).toContain("paused");
      await resume(container);
      expect((await box.runtime(["exec", container.id, "true"])).status).toBe(0);
    });
  });
}

const rest = testIf(isRoot && runtimeKind !== "crun", "crun runs with its cgroup manager disabled here");

rest("a stopped container cannot be paused, nor one that is not there", async () => {
  const container = await machine.create(config());
  await container.start();
  await container.exit();
  const stopped = await container.call("pause");
  expect(stopped.status).toBe(1);
  expect(stopped.stderr).toContain("container not running");
  await container.delete();
  for (const verb of ["pause", "resume"]) {
    const missing = await machine.runtime([verb, "no-such-container"]);
    expect(missing.status).toBe(1);
    expect(missing.stderr).toContain("does not exist");
  }
});

oursOnly("a container without a cgroup cannot be paused, and it is said why", async () => {
  const container = await machine.create(
    sleeper((result) => {
      delete result.linux.resources;
    }),
    { globals: ["--cgroup-manager", "disabled"] },
  );
  await container.start();
  const { status, stderr } = await container.call("pause");
  expect([status, stderr]).toEqual([1, expect.stringContaining("it has no cgroup of its own")]);
  expect(await container.status()).toBe("running");
});
