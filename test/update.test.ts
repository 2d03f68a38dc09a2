/** update: other limits for a container that is there already, by options, by a file, and by standard input. */
import { describe, expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { controllerRoot, groupsOf } from "./support/cgroups.ts";
import { config, sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { isRoot } from "./support/machine.ts";
import { oursOnly, peersDiffer, testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("update");
const peersTest = peersDiffer({ crun: "its cgroup manager is disabled here" });
const possible =
  isRoot && ["cpu", "memory", "pids", "cpuset"].every((name) => controllerRoot(name) !== undefined);
const updateTest = possible ? peersTest : testIf(false, "needs controllers of version 1");

async function start(): Promise<Container> {
  const container = await box.create(
    sleeper((result) => {
      result.linux.resources = {
        ...result.linux.resources,
        memory: { limit: 40 * 2 ** 20, swap: 80 * 2 ** 20 },
        cpu: { shares: 500, quota: 20_000, period: 50_000 },
        pids: { limit: 30 },
      };
    }),
  );
  await container.start();
  return container;
}

/** A limit as the kernel has it now. */
function read(container: Container, file: string): string {
  const [controller = ""] = file.split(".");
  const path = groupsOf(container.pid).get(controller) ?? "";
  return readFileSync(join(controllerRoot(controller) ?? "", path, file), "utf8").trim();
}

const limits = (container: Container) =>
  Object.fromEntries(
    [
      "memory.limit_in_bytes",
      "memory.memsw.limit_in_bytes",
      "memory.soft_limit_in_bytes",
      "cpu.shares",
      "cpu.cfs_quota_us",
      "cpu.cfs_period_us",
      "pids.max",
    ].map((file) => [file, read(container, file)]),
  );

async function update(container: Container, ...flags: string[]): Promise<void> {
  expect(await box.runtime(["update", ...flags, container.id])).toMatchObject({ status: 0, stdout: "" });
}

describe("by options", () => {
  updateTest("one limit, and no other", async () => {
    const container = await start();
    const before = limits(container);
    await update(container, "--pids-limit", "17");
    expect(limits(container)).toEqual({ ...before, "pids.max": "17" });
    await update(container, "--cpu-share", "700");
    expect(limits(container)).toEqual({ ...before, "pids.max": "17", "cpu.shares": "700" });
  });

  updateTest("memory, up and down, with units", async () => {
    const container = await start();
    await update(container, "--memory", "60M", "--memory-swap", "120M", "--memory-reservation", "10M");
    expect(limits(container)).toMatchObject({
      "memory.limit_in_bytes": String(60 * 2 ** 20),
      "memory.memsw.limit_in_bytes": String(120 * 2 ** 20),
      "memory.soft_limit_in_bytes": String(10 * 2 ** 20),
    });
    await update(container, "--memory", "20M", "--memory-swap", "20M");
    expect(limits(container)).toMatchObject({
      "memory.limit_in_bytes": String(20 * 2 ** 20),
      "memory.memsw.limit_in_bytes": String(20 * 2 ** 20),
    });
    await update(container, "--memory", "-1");
    expect(read(container, "memory.limit_in_bytes")).toBe("9223372036854771712");
    expect(read(container, "memory.memsw.limit_in_bytes")).toBe("9223372036854771712");
  });

  updateTest("processors: quota and period, a list", async () => {
    const container = await start();
    await update(container, "--cpu-quota", "30000", "--cpu-period", "60000", "--cpuset-cpus", "0");
    expect(limits(container)).toMatchObject({ "cpu.cfs_quota_us": "30000", "cpu.cfs_period_us": "60000" });
    expect(read(container, "cpuset.cpus")).toBe("0");
    await update(container, "--cpu-quota", "-1");
    expect(read(container, "cpu.cfs_quota_us")).toBe("-1");
  });

  updateTest("what the kernel refuses fails", async () => {
    const container = await start();
    const before = limits(container);
    const refused = await box.runtime(["update", "--cpuset-cpus", "999", container.id]);
    expect([refused.status, refused.stderr.length > 0]).toEqual([1, true]);
    expect(limits(container)).toEqual(before);
    for (const flags of [
      ["--memory", "much"],
      ["--cpu-share", "-5"],
      ["--cpu-quota", "1.5"],
    ]) {
      expect((await box.runtime(["update", ...flags, container.id])).status).toBe(1);
    }
    expect(limits(container)).toEqual(before);
  });
});

describe("by a document", () => {
  const document = {
    memory: { limit: 64 * 2 ** 20, swap: 90 * 2 ** 20 },
    cpu: { shares: 600 },
    pids: { limit: 19 },
  };
  const after = {
    "memory.limit_in_bytes": String(64 * 2 ** 20),
    "memory.memsw.limit_in_bytes": String(90 * 2 ** 20),
    "cpu.shares": "600",
    "cpu.cfs_quota_us": "20000",
    "pids.max": "19",
  };

  updateTest("a file", async () => {
    const container = await start();
    const file = join(box.directory("resources"), "r.json");
    writeFileSync(file, JSON.stringify(document));
    await update(container, "--resources", file);
    expect(limits(container)).toMatchObject(after);
  });

  updateTest("standard input", async () => {
    for (const flags of [["-r", "-"], ["--resources=-"]]) {
      const container = await start();
      const { status } = await box.runtime(["update", ...flags, container.id], {
        stdin: JSON.stringify(document),
      });
      expect(status).toBe(0);
      expect(limits(container)).toMatchObject(after);
    }
  });

  const noPanic = possible
    ? peersDiffer({ runc: "runc 1.1 panics", crun: "its cgroup manager is disabled here" })
    : updateTest;
  noPanic("with null for what is empty, as Go writes it", async () => {
    const container = await start();
    const { status, stderr } = await box.runtime(["update", "--resources", "-", container.id], {
      stdin:
        '{"devices":null,"memory":{"limit":67108864,"swap":94371840},"cpu":{},"pids":null,"unified":null}',
    });
    expect([status, stderr]).toEqual([0, ""]);
    expect(read(container, "memory.limit_in_bytes")).toBe("67108864");
  });

  updateTest("that is none", async () => {
    const container = await start();
    for (const stdin of ["", "{", "[]", '{"memory":{"limit":"much"}}']) {
      const { status } = await box.runtime(["update", "-r", "-", container.id], { stdin });
      expect([stdin, status]).toEqual([stdin, 1]);
    }
    expect((await box.runtime(["update", "-r", "/no/such/file", container.id])).status).toBe(1);
  });
});

describe("whatever state it is in", () => {
  updateTest("created, or paused", async () => {
    const container = await box.create(sleeper());
    await update(container, "--pids-limit", "9");
    expect(read(container, "pids.max")).toBe("9");
    await container.start();
    expect((await container.call("pause")).status).toBe(0);
    await update(container, "--pids-limit", "8");
    expect(read(container, "pids.max")).toBe("8");
    expect(await container.status()).toBe("paused");
  });

  updateTest("stopped, it has no limits any more; nor has one that is not there", async () => {
    const container = await box.create(config());
    await container.start();
    await container.exit();
    const stopped = await box.runtime(["update", "--pids-limit", "9", container.id]);
    expect([stopped.status, stopped.stderr]).toEqual([1, expect.stringContaining("container not running")]);
    const missing = await box.runtime(["update", "--pids-limit", "9", "no-such-container"]);
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining("does not exist")]);
  });
});

describe("bunc's own", () => {
  const kept = (container: Container) =>
    JSON.parse(readFileSync(join(box.state, container.id, "config.json"), "utf8")).linux.resources;

  oursOnly("the limits are kept for later commands, which fail none of them", async () => {
    const container = await start();
    await update(container, "--pids-limit", "17", "--memory", "50M");
    expect(kept(container)).toMatchObject({
      memory: { limit: 50 * 2 ** 20, swap: 80 * 2 ** 20 },
      pids: { limit: 17 },
      devices: [{ allow: false, access: "rwm" }],
    });
    expect((await box.runtime(["exec", container.id, "true"])).status).toBe(0);
  });

  oursOnly("memory above what it may be with swap is refused, and nothing is changed", async () => {
    const container = await start();
    const before = limits(container);
    const { status, stderr } = await box.runtime([
      "update",
      "--memory",
      "100M",
      "--pids-limit",
      "5",
      container.id,
    ]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("linux.resources.memory.swap")]);
    expect([limits(container), kept(container).pids]).toEqual([before, { limit: 30 }]);
  });

  oursOnly("what has no effect is said", async () => {
    const container = await start();
    const { status, stderr } = await box.runtime(
      ["update", "--kernel-memory", "1M", "--pids-limit", "5", "-r", "-", container.id],
      { stdin: "{}" },
    );
    expect(status).toBe(0);
    expect(stderr).toContain("--kernel-memory is obsolete");
    expect(stderr).toContain("without effect are --pids-limit");
    expect(read(container, "pids.max")).toBe("30");
  });

  oursOnly("a class of service where the machine has none", async () => {
    if (readFileSync("/proc/self/mountinfo", "utf8").includes(" - resctrl ")) return;
    const container = await start();
    const { status, stderr } = await box.runtime(["update", "--l3-cache-schema", "L3:0=f", container.id]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("needs the resctrl file system")]);
  });

  oursOnly("a container without a cgroup has no limits", async () => {
    const container = await box.create(
      sleeper((result) => delete result.linux.resources),
      { globals: ["--cgroup-manager", "disabled"] },
    );
    const { status, stderr } = await container.call("update", "--pids-limit", "5");
    expect([status, stderr]).toEqual([1, expect.stringContaining("it has no cgroup of its own")]);
  });
});
