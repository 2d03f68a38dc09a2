/**
 * Limits that few ask for, in the v1 and hybrid layouts with the machine's own controllers. What the layouts have in
 * common is in cgroup-v1.test.ts.
 */
import { afterAll, describe, expect } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { controllerRoot, findGroups, removeGroups, unifiedRoot } from "./support/cgroups.ts";
import { type Change, config, type Resources, shell, sleeper } from "./support/config.ts";
import { cgroups, isRoot, runtimeKind } from "./support/machine.ts";
import { peersDiffer, testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("resources");
const parent = `bunc-test-res-${process.pid}`;
const usable = isRoot && cgroups !== "v2" && runtimeKind !== "crun";

if (isRoot && cgroups !== "v2") afterAll(() => removeGroups(parent));

/** A test of a controller of version 1, where the machine has what else it takes. */
const v1Test = (controller: string, also = true, lacking = "") =>
  !also
    ? testIf(false, lacking)
    : testIf(
        usable && controllerRoot(controller) !== undefined,
        usable
          ? `no ${controller} controller in cgroup v1`
          : "cgroup2 alone, or crun, which runs without cgroups here",
      );

const limited =
  (name: string, resources: Resources): Change =>
  (result) => {
    result.linux.cgroupsPath = `/${parent}/${name}`;
    result.linux.resources = { ...result.linux.resources, ...resources };
  };

const read = (controller: string, name: string, file: string): string =>
  readFileSync(join(controllerRoot(controller) ?? "", parent, name, file), "utf8").trim();

/** MAJOR and MINOR of the machine's first disk. */
function disk(): { major: number; minor: number } | undefined {
  const numbers = /^ *(\d+) +(\d+) +[1-9]\d* [a-z]+$/m.exec(readFileSync("/proc/partitions", "utf8"));
  return numbers ? { major: Number(numbers[1]), minor: Number(numbers[2]) } : undefined;
}

describe("block devices", () => {
  const device = disk();

  v1Test("blkio")("weight", async () => {
    const container = await box.create(sleeper(limited("weight", { blockIO: { weight: 500 } })));
    const directory = join(controllerRoot("blkio") ?? "", parent, "weight");
    const file = ["blkio.bfq.weight", "blkio.weight"].find((each) => existsSync(join(directory, each))) ?? "";
    expect(read("blkio", "weight", file)).toMatch(/500$/);
    await container.delete();
  });

  v1Test(
    "blkio",
    device !== undefined,
    "no disk",
  )("rates of a device, a list each", async () => {
    if (!device) throw new Error("no disk");
    const blockIO = {
      throttleReadBpsDevice: [{ ...device, rate: 1_000_000 }],
      throttleWriteBpsDevice: [{ ...device, rate: 2_000_000 }],
      throttleReadIOPSDevice: [{ ...device, rate: 300 }],
      throttleWriteIOPSDevice: [{ ...device, rate: 400 }],
    };
    const container = await box.create(sleeper(limited("rates", { blockIO })));
    const name = `${device.major}:${device.minor}`;
    const file = (kind: string) => read("blkio", "rates", `blkio.throttle.${kind}_device`);
    expect(file("read_bps")).toBe(`${name} 1000000`);
    expect(file("write_bps")).toBe(`${name} 2000000`);
    expect(file("read_iops")).toBe(`${name} 300`);
    expect(file("write_iops")).toBe(`${name} 400`);
    await container.delete();
  });

  v1Test("blkio")(
    "a device that is not there is an error that names the entry, and leaves no group",
    async () => {
      const blockIO = { throttleReadBpsDevice: [{ major: 4000, minor: 1, rate: 1000 }] };
      const { status, stderr } = await box.run(config(limited("absent", { blockIO })));
      expect(status).toBe(1);
      expect(stderr).toMatch(/throttle\.?read_?bps/i);
      expect(findGroups("absent")).toEqual([]);
    },
  );
});

describe("memory", () => {
  v1Test("memory")("swappiness and the end of killing", async () => {
    const memory = { limit: 64 << 20, swappiness: 10, disableOOMKiller: true };
    const container = await box.create(sleeper(limited("swappiness", { memory })));
    expect(read("memory", "swappiness", "memory.swappiness")).toBe("10");
    expect(read("memory", "swappiness", "memory.oom_control")).toMatch(/^oom_kill_disable 1$/m);
    await container.delete();
  });

  v1Test("memory")("useHierarchy and checkBeforeUpdate ask for what the kernel does", async () => {
    const memory = { limit: 64 << 20, useHierarchy: true, checkBeforeUpdate: true };
    const container = await box.create(sleeper(limited("hierarchy", { memory })));
    expect(read("memory", "hierarchy", "memory.use_hierarchy")).toBe("1");
    await container.delete();
  });

  // runc warns of the property and goes on; since 1.1 so for kernelTCP, too.
  const kept = peersDiffer({
    runc: "it ignores limits of kernel memory",
    crun: "it runs without cgroups here",
  });

  kept("kernel memory: either the kernel keeps the limit, or the property is refused by name", async () => {
    const bytes = 32 << 20;
    for (const [key, file] of [
      ["kernel", "memory.kmem.limit_in_bytes"],
      ["kernelTCP", "memory.kmem.tcp.limit_in_bytes"],
    ] as const) {
      const { status, stderr, stdout } = await box.run(
        shell(`cat /sys/fs/cgroup/memory/${file}`, (result) => {
          limited("kernel", { memory: { [key]: bytes } })(result);
          result.mounts.push({
            destination: "/sys/fs/cgroup",
            type: "cgroup",
            source: "cgroup",
            options: ["ro"],
          });
        }),
      );
      if (status === 0) expect(stdout).toBe(`${bytes}\n`);
      else expect(stderr).toMatch(new RegExp(`^[^\\n]*linux\\.resources\\.memory\\.${key} [^\\n]+\\n$`));
    }
    expect(findGroups("kernel")).toEqual([]);
  });
});

describe("processors", () => {
  const idle = existsSync(join(controllerRoot("cpu") ?? "", "cpu.idle"));

  const idleTest =
    usable && idle
      ? peersDiffer({ runc: "1.1 does not know the property", crun: "it runs without cgroups here" })
      : testIf(false, "no cpu.idle in cgroup v1");

  idleTest("idle", async () => {
    const container = await box.create(sleeper(limited("idle", { cpu: { idle: 1 } })));
    expect(read("cpu", "idle", "cpu.idle")).toBe("1");
    await container.delete();
  });

  const realtime = existsSync(join(controllerRoot("cpu") ?? "", "cpu.rt_runtime_us"));

  const realtimeTest =
    usable && realtime
      ? peersDiffer({ runc: "it gives nothing to the cgroups above", crun: "it runs without cgroups here" })
      : testIf(false, "no groups of realtime processes in cgroup v1");

  realtimeTest("a budget of realtime, which the cgroups above get, too", async () => {
    const cpu = { realtimePeriod: 1_000_000, realtimeRuntime: 10_000 };
    const container = await box.create(sleeper(limited("rt-above/realtime", { cpu })));
    expect(read("cpu", "rt-above/realtime", "cpu.rt_runtime_us")).toBe("10000");
    expect(read("cpu", "rt-above/realtime", "cpu.rt_period_us")).toBe("1000000");
    expect(read("cpu", "rt-above", "cpu.rt_runtime_us")).toBe("10000");
    await container.delete();
    removeGroups(`${parent}/rt-above`);
  });

  v1Test(
    "cpu",
    realtime,
    "no groups of realtime processes in this kernel",
  )("a budget that there is not is an error that names it", async () => {
    const cpu = { realtimePeriod: 1_000_000, realtimeRuntime: 999_999 };
    const { status, stderr } = await box.run(config(limited("too-much", { cpu })));
    expect(status).toBe(1);
    expect(stderr).toMatch(/realtimeRuntime|rt_runtime/);
    expect(findGroups("too-much")).toEqual([]);
  });
});

describe("controllers that version 1 does not have", () => {
  const inUnified =
    isRoot &&
    cgroups === "hybrid" &&
    readFileSync(join(unifiedRoot, "cgroup.controllers"), "utf8").split(/\s/).includes("hugetlb");

  const size = existsSync("/sys/kernel/mm/hugepages")
    ? readdirSync("/sys/kernel/mm/hugepages").includes("hugepages-2048kB")
    : false;
  const hybridTest =
    inUnified && size
      ? peersDiffer({
          runc: "it uses nothing but version 1 in this layout",
          crun: "it runs without cgroups here",
        })
      : testIf(false, "no hugetlb controller in the cgroup2 of a hybrid layout");

  hybridTest("huge pages are limited by the cgroup2 that is beside it", async () => {
    const hugepageLimits = [{ pageSize: "2MB", limit: 4 << 20 }];
    const container = await box.create(sleeper(limited("huge", { hugepageLimits })));
    const file = (name: string) => readFileSync(join(unifiedRoot, parent, "huge", name), "utf8").trim();
    expect(file("hugetlb.2MB.max")).toBe(String(4 << 20));
    expect(file("hugetlb.2MB.rsvd.max")).toBe(String(4 << 20));
    await container.delete("--force");
    expect(existsSync(join(unifiedRoot, parent, "huge"))).toBe(false);
  });

  hybridTest("so are they by its own files", async () => {
    const unified = { "hugetlb.2MB.max": String(2 << 20), "cgroup.max.depth": "3" };
    const container = await box.create(sleeper(limited("unified", { unified })));
    const file = (name: string) => readFileSync(join(unifiedRoot, parent, "unified", name), "utf8").trim();
    expect(file("hugetlb.2MB.max")).toBe(String(2 << 20));
    expect(file("cgroup.max.depth")).toBe("3");
    await container.delete("--force");
  });

  hybridTest("a size that the machine does not have is an error that names it", async () => {
    const hugepageLimits = [{ pageSize: "3MB", limit: 0 }];
    const { status, stderr } = await box.run(config(limited("odd", { hugepageLimits })));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^[^\n]*linux\.resources\.hugepageLimits\[0\][^\n]*hugetlb\.3MB[^\n]*\n$/);
    expect(findGroups("odd")).toEqual([]);
  });

  const absent = usable
    ? (["net_cls", "rdma"] as const).filter((name) => controllerRoot(name) === undefined)
    : [];
  for (const name of absent) {
    const asked: Resources =
      name === "rdma" ? { rdma: { rxe0: { hcaHandles: 1 } } } : { network: { classID: 5 } };
    peersDiffer({ runc: "it does not look", crun: "it runs without cgroups here" })(
      `${name}, which the machine does not have, is named`,
      async () => {
        const { status, stderr } = await box.run(config(limited("absent", asked)));
        expect(status).toBe(1);
        expect(stderr).toContain(`needs the ${name} controller of cgroups, which is not available`);
        expect(findGroups("absent")).toEqual([]);
      },
    );
  }
});
