/** events: what a container uses, and the news that its memory lacks, in runc's JSON. */
import { describe, expect } from "bun:test";
import { controllerRoot } from "./support/cgroups.ts";
import { config, shell, sleeper } from "./support/config.ts";
import { isRoot } from "./support/machine.ts";
import { oursOnly, peersDiffer, testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("events");
const eventsTest = peersDiffer({ crun: "it has no such command" });
const memory = controllerRoot("memory") !== undefined;
const memoryTest = isRoot && memory ? eventsTest : testIf(false, "needs a controller of memory, version 1");

/** The names of an object's properties, in their order, and those of what is in it. */
function shape(value: object): unknown[] {
  return Object.entries(value).map(([key, each]) => [
    key,
    typeof each === "object" && each !== null ? shape(each) : typeof each,
  ]);
}

const entry = (name: string, ...more: string[]) => [
  name,
  ["limit", ...more, "failcnt"].map((each) => [each, "number"]),
];

describe("statistics", () => {
  memoryTest("once, with --stats: every property in runc's order", async () => {
    const container = await box.create(sleeper());
    await container.start();
    const { status, stdout } = await container.call("events", "--stats").then(async (first) =>
      // runc takes options before the id only.
      first.status === 0 && first.stdout !== "" ? first : box.runtime(["events", "--stats", container.id]),
    );
    expect([status, stdout.split("\n").length]).toEqual([0, 2]);
    const event = JSON.parse(stdout);
    expect([event.type, event.id, Object.keys(event)]).toEqual([
      "stats",
      container.id,
      ["type", "id", "data"],
    ]);
    expect(Object.keys(event.data)).toEqual([
      "cpu",
      "cpuset",
      "memory",
      "pids",
      "blkio",
      "hugetlb",
      "intel_rdt",
      "network_interfaces",
    ]);
    expect(event.data.pids).toEqual({ current: 1 });
    expect(Object.keys(event.data.cpu.usage)).toEqual([
      "total",
      "percpu",
      "percpu_kernel",
      "percpu_user",
      "kernel",
      "user",
    ]);
    expect(event.data.cpu.throttling).toEqual({});
    expect(event.data.network_interfaces).toBeNull();
    expect(shape(event.data.memory).slice(-5, -1)).toEqual([
      entry("usage", "usage", "max"),
      entry("swap", "usage", "max"),
      entry("kernel", "usage", "max"),
      entry("kernelTCP"),
    ]);
    expect(Object.keys(event.data.memory.raw)).toEqual(Object.keys(event.data.memory.raw).sort());
    // A number that a double cannot hold.
    expect(stdout).toContain('"limit":9223372036854771712');
    expect(event.data.cpuset.sched_relax_domain_level).toBe(-1);
  });

  memoryTest("limits are in it", async () => {
    const container = await box.create(
      sleeper((result) => {
        result.linux.resources = {
          ...result.linux.resources,
          memory: { limit: 20 * 2 ** 20 },
          pids: { limit: 17 },
        };
      }),
    );
    await container.start();
    const { stdout } = await box.runtime(["events", "--stats", container.id]);
    const { data } = JSON.parse(stdout);
    expect([data.memory.usage.limit, data.pids]).toEqual([20 * 2 ** 20, { current: 1, limit: 17 }]);
  });

  eventsTest("a stopped container has none, nor one that is not there", async () => {
    const container = await box.create(config());
    await container.start();
    await container.exit();
    const { status, stderr } = await container.call("events");
    expect([status, stderr]).toEqual([1, expect.stringContaining("is not running")]);
    const missing = await box.runtime(["events", "no-such-container"]);
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining("does not exist")]);
  });

  eventsTest("an interval that is none", async () => {
    for (const interval of ["0s", "x", "-1s"]) {
      expect((await box.runtime(["events", "--interval", interval, "c"])).status).not.toBe(0);
    }
  });
});

describe("the stream", () => {
  memoryTest("tells of every lack of memory between statistics", async () => {
    const container = await box.create(
      shell(
        "while read size; do dd if=/dev/zero of=/dev/null bs=$size count=1; done < /fifo; sleep 1000",
        (result) => {
          result.linux.resources = {
            ...result.linux.resources,
            memory: { limit: 20 * 2 ** 20, swap: 20 * 2 ** 20 },
          };
        },
      ),
      { prepare: (rootfs) => Bun.spawnSync(["mkfifo", `${rootfs}/fifo`]) },
    );
    await container.start();
    const running = Bun.spawn(box.argv(["events", "--interval", "50ms", container.id]), { stdout: "pipe" });
    const types: string[] = [];
    let unfinished = "";
    let asked = false;
    for await (const chunk of running.stdout) {
      const lines = (unfinished + new TextDecoder().decode(chunk)).split("\n");
      unfinished = lines.pop() ?? "";
      for (const line of lines) types.push(JSON.parse(line).type);
      // It watches, for it has begun to tell: now memory may lack.
      if (!asked && types.includes("stats")) {
        asked = true;
        await Bun.write(`${container.bundle.rootfs}/fifo`, "100M\n");
      }
      if (types.includes("oom") && types.at(-1) === "stats") break;
    }
    running.kill();
    await running.exited;
    expect(types).toContain("oom");
    expect(types[0]).toBe("stats");
  });

  oursOnly("ends with the container; runc's of version 1 lasts until it is deleted", async () => {
    const container = await box.create(sleeper());
    await container.start();
    const events = Bun.spawn(box.argv(["events", "--interval", "50ms", container.id]), { stdout: "pipe" });
    for await (const _ of events.stdout)
      if ((await container.status()) === "running") await container.kill("KILL");
    expect(await events.exited).toBe(0);
  });

  oursOnly("nothing counts for a container without a cgroup", async () => {
    const container = await box.create(
      sleeper((result) => delete result.linux.resources),
      { globals: ["--cgroup-manager", "disabled"] },
    );
    await container.start();
    const { status, stderr } = await container.call("events", "--stats");
    expect([status, stderr]).toEqual([1, expect.stringContaining("it has no cgroup of its own")]);
  });
});
