import { expect, test } from "bun:test";
import type { Resources } from "../../spec/types.ts";
import { describeCgroup } from "./describe.ts";
import type { CgroupLayout } from "./layout.ts";
import { type CgroupContext, planCgroup } from "./plan.ts";
import type { PlannedCgroup } from "./planned.ts";

const v2: CgroupLayout = { kind: "v2", mountpoint: "/sys/fs/cgroup", own: "/user/me", writable: true };

function hierarchy(name: string, controllers: string[], own = "/", writable = true) {
  return { controllers, mountpoint: `/sys/fs/cgroup/${name}`, own, writable };
}

const v1: CgroupLayout = {
  kind: "v1",
  hierarchies: [
    hierarchy("cpu,cpuacct", ["cpu", "cpuacct"], "/a"),
    hierarchy("memory", ["memory"], "/m"),
    hierarchy("devices", ["devices"]),
    hierarchy("systemd", ["name=systemd"]),
  ],
  unified: undefined,
};

const hybrid: CgroupLayout = {
  ...v1,
  unified: { mountpoint: "/sys/fs/cgroup/unified", own: "/", writable: true },
};

const denyAll: Resources = { devices: [{ allow: false, access: "rwm" }] };

interface Asked extends Partial<CgroupContext> {
  readonly cgroupsPath?: string;
  readonly resources?: Resources;
}

function plan({ cgroupsPath, resources, ...context }: Asked): PlannedCgroup {
  const defaults = {
    id: "box",
    layout: v2,
    privileged: true,
    manager: "cgroupfs",
    owner: undefined,
    systemd: { kind: "unasked" },
  } as const;
  return planCgroup({ cgroupsPath, resources, annotations: {} }, { ...defaults, ...context });
}

function planV1(asked: Asked) {
  const planned = plan({ layout: v1, ...asked });
  if (planned.kind !== "v1") throw new Error(`planned ${planned.kind}`);
  return planned;
}

function planV2(asked: Asked) {
  const planned = plan(asked);
  if (planned.kind !== "v2") throw new Error(`planned ${planned.kind}`);
  return planned;
}

test("v1: a cgroup beneath the caller's own in every hierarchy", () => {
  const { directories, writes, containerView } = planV1({ resources: denyAll });
  expect(directories.map(({ path }) => path)).toEqual([
    "/sys/fs/cgroup/cpu,cpuacct/a/bunc-box",
    "/sys/fs/cgroup/memory/m/bunc-box",
    "/sys/fs/cgroup/devices/bunc-box",
    "/sys/fs/cgroup/systemd/bunc-box",
  ]);
  expect(writes[0]).toMatchObject({ file: "/sys/fs/cgroup/devices/bunc-box/devices.deny", value: "a" });
  expect(containerView).toEqual({
    kind: "v1",
    hierarchies: [
      {
        directory: "cpu,cpuacct",
        path: "/sys/fs/cgroup/cpu,cpuacct/a/bunc-box",
        options: "cpu,cpuacct",
        type: "cgroup",
        links: ["cpu", "cpuacct"],
      },
      {
        directory: "memory",
        path: "/sys/fs/cgroup/memory/m/bunc-box",
        options: "memory",
        type: "cgroup",
        links: [],
      },
      {
        directory: "devices",
        path: "/sys/fs/cgroup/devices/bunc-box",
        options: "devices",
        type: "cgroup",
        links: [],
      },
      {
        directory: "systemd",
        path: "/sys/fs/cgroup/systemd/bunc-box",
        options: "none,name=systemd",
        type: "cgroup",
        links: [],
      },
    ],
  });
});

test("v1: limits are written where their controller is", () => {
  const { writes } = planV1({ resources: { memory: { limit: 5n }, cpu: { shares: 7n } }, privileged: false });
  expect(writes).toMatchObject([
    {
      file: "/sys/fs/cgroup/cpu,cpuacct/a/bunc-box/cpu.shares",
      value: "7",
      property: "linux.resources.cpu.shares",
      dispensable: false,
    },
    {
      file: "/sys/fs/cgroup/memory/m/bunc-box/memory.limit_in_bytes",
      value: "5",
      property: "linux.resources.memory.limit",
      dispensable: false,
    },
  ]);
});

test("v1: a limit whose controller the machine lacks is refused with what there is", () => {
  expect(() => plan({ layout: v1, resources: { pids: { limit: 5n } } })).toThrow(
    "linux.resources.pids.limit needs the pids controller of cgroups, which is not available: the machine has cpu, cpuacct, memory, devices; leave it out",
  );
  expect(() => plan({ layout: v1, resources: { unified: { "memory.high": "1" } } })).toThrow(
    /^linux\.resources\.unified\["memory\.high"\] needs cgroup v2/,
  );
});

test("hybrid: a cgroup in the hierarchy of v2, too; devices stay with v1 where v1 has them", () => {
  const { directories, devices } = planV1({ layout: hybrid, resources: denyAll });
  expect(directories.at(-1)).toMatchObject({ controllers: "", path: "/sys/fs/cgroup/unified/bunc-box" });
  expect(devices).toEqual({ kind: "none" });
  const without = { ...hybrid, hierarchies: hybrid.hierarchies.filter((each) => each !== v1.hierarchies[2]) };
  expect(planV1({ layout: without, resources: denyAll }).devices).toMatchObject({
    kind: "program",
    path: "/sys/fs/cgroup/unified/bunc-box",
  });
});

test("v2: beneath the caller's own cgroup, and beside it when controllers are needed", () => {
  expect(planV2({ resources: denyAll }).directory.path).toBe("/sys/fs/cgroup/user/me/bunc-box");
  const limited = planV2({ resources: { pids: { limit: 5n } } });
  expect(limited.directory.path).toBe("/sys/fs/cgroup/user/bunc-box");
  expect(limited.writes[0]).toMatchObject({ file: "/sys/fs/cgroup/user/bunc-box/pids.max", value: "5" });
  expect(limited.controllers).toEqual({
    needed: [{ name: "pids", property: "linux.resources.pids.limit" }],
    others: false,
    elsewhere: [],
  });
  expect(planV2({ layout: { ...v2, own: "/" } }).directory.path).toBe("/sys/fs/cgroup/bunc-box");
});

test("v2: devices are a program of root's", () => {
  expect(planV2({ resources: denyAll }).devices).toMatchObject({ kind: "program" });
  expect(planV2({ resources: denyAll, privileged: false }).devices).toEqual({ kind: "none" });
});

test("v2: files of cgroups themselves need no controller", () => {
  const { controllers } = planV2({ resources: { unified: { "cgroup.max.depth": "3" } } });
  expect(controllers.needed).toEqual([]);
});

test("a path of the caller's: absolute from the mount point, with every controller for the caller to read", () => {
  expect(planV2({ cgroupsPath: "/x/y" })).toMatchObject({
    directory: { path: "/sys/fs/cgroup/x/y", fresh: false },
    controllers: { others: true, elsewhere: [] },
  });
  expect(planV2({ cgroupsPath: "x" }).directory.path).toBe("/sys/fs/cgroup/user/me/x");
  expect(planV1({ cgroupsPath: "/x" }).directories[1]?.path).toBe("/sys/fs/cgroup/memory/x");
  expect(planV1({ cgroupsPath: "x" }).directories[1]?.path).toBe("/sys/fs/cgroup/memory/m/x");
});

test("what needs a cgroup is told when it cannot be made", () => {
  const of = (asked: Asked) => planV2(asked).directory.neededBy;
  expect(of({})).toBe("linux.cgroupsPath");
  expect(of({ privileged: false, resources: denyAll })).toBe("");
  expect(of({ privileged: false, cgroupsPath: "/x" })).toBe("linux.cgroupsPath");
  expect(of({ privileged: false, resources: { memory: { limit: 5n } } })).toBe(
    "linux.resources.memory.limit",
  );
  const v1Needs = planV1({ privileged: false, resources: { memory: { limit: 5n } } }).directories;
  expect(v1Needs.map(({ neededBy }) => neededBy)).toEqual(["", "linux.resources.memory.limit", "", ""]);
});

test("a user's container shows the caller's own cgroup, since there may be no other", () => {
  expect(planV2({ privileged: false }).containerView).toEqual({ kind: "v2", path: "/sys/fs/cgroup/user/me" });
  const { containerView } = planV1({ privileged: false });
  expect(containerView.kind === "v1" && containerView.hierarchies.map(({ path }) => path)).toEqual([
    "/sys/fs/cgroup/cpu,cpuacct/a",
    "/sys/fs/cgroup/memory/m",
    "/sys/fs/cgroup/devices",
    "/sys/fs/cgroup/systemd",
  ]);
});

test("nothing is tried where all is read-only, unless something needs it", () => {
  const readonly: CgroupLayout = { ...v2, writable: false };
  expect(plan({ layout: readonly, privileged: false, resources: denyAll })).toMatchObject({
    kind: "none",
    containerView: { kind: "v2", path: "/sys/fs/cgroup/user/me" },
  });
  expect(plan({ layout: readonly }).kind).toBe("none");
  expect(plan({ layout: readonly, resources: denyAll }).kind).toBe("v2");
  const readonlyV1: CgroupLayout = { ...v1, hierarchies: [hierarchy("cpu", ["cpu"], "/", false)] };
  expect(planV1({ layout: readonlyV1, privileged: false }).directories).toEqual([]);
});

test("disabled: no cgroup, whatever the layout; limits are refused by name", () => {
  const planned = plan({ manager: "disabled", cgroupsPath: "/x", resources: denyAll });
  expect(planned).toMatchObject({ kind: "none", containerView: { kind: "none" } });
  expect(() => plan({ manager: "disabled", resources: { pids: { limit: 5n } } })).toThrow(
    "linux.resources.pids.limit cannot be applied without a cgroup: --cgroup-manager disabled",
  );
});

test("no cgroups on the machine: for root only when devices are not restricted", () => {
  const layout: CgroupLayout = { kind: "none" };
  expect(plan({ layout }).kind).toBe("none");
  expect(plan({ layout, privileged: false, resources: denyAll }).kind).toBe("none");
  expect(() => plan({ layout, resources: denyAll })).toThrow(/^linux\.resources\.devices cannot be applied/);
});

test("without a systemd the cgroup is made where systemd would", () => {
  const systemd = { kind: "missing", cause: "systemd does not run here" } as const;
  const planned = planV2({ manager: "systemd", systemd, cgroupsPath: "machine.slice:libpod:abc" });
  expect(planned.directory.path).toBe("/sys/fs/cgroup/machine.slice/libpod-abc.scope");
  expect(planned.scope).toBe(null);
});

test("what a plan may make, as state.json would have it", () => {
  expect(describeCgroup(plan({}))).toEqual({ kind: "v2", path: "/sys/fs/cgroup/user/me/bunc-box" });
  expect(describeCgroup(plan({ layout: hybrid }))).toEqual({
    kind: "v1",
    directories: [
      { controllers: "cpu,cpuacct", path: "/sys/fs/cgroup/cpu,cpuacct/a/bunc-box" },
      { controllers: "memory", path: "/sys/fs/cgroup/memory/m/bunc-box" },
      { controllers: "devices", path: "/sys/fs/cgroup/devices/bunc-box" },
      { controllers: "name=systemd", path: "/sys/fs/cgroup/systemd/bunc-box" },
      { controllers: "", path: "/sys/fs/cgroup/unified/bunc-box" },
    ],
  });
  expect(describeCgroup(plan({ manager: "disabled" }))).toBeNull();
});

test("hybrid: what version 1 has no controller for is kept by version 2, beside the caller's own cgroup", () => {
  const hugepageLimits = [{ pageSize: "2MB", limit: 4n }];
  const own = { mountpoint: "/sys/fs/cgroup/unified", own: "/user/me", writable: true };
  const { directories, controllers, writes } = planV1({
    layout: { ...v1, unified: own },
    resources: { hugepageLimits, memory: { limit: 5n }, unified: { "cgroup.max.depth": "3" } },
    privileged: false,
  });
  expect(directories.at(-1)).toMatchObject({
    controllers: "",
    path: "/sys/fs/cgroup/unified/user/bunc-box",
    neededBy: "linux.resources.hugepageLimits[0]",
  });
  expect(controllers).toEqual({
    needed: [{ name: "hugetlb", property: "linux.resources.hugepageLimits[0]" }],
    others: false,
    elsewhere: ["cpu", "cpuacct", "memory", "devices", "name=systemd"],
  });
  expect(writes.map(({ file, value }) => `${file.replace(/.*bunc-box./, "")}=${value}`)).toEqual([
    "memory.limit_in_bytes=5",
    "hugetlb.2MB.max=4",
    "hugetlb.2MB.rsvd.max=4",
    "cgroup.max.depth=3",
  ]);
});

test("hybrid: a file of version 2 whose controller version 1 has is refused, and so is what nobody has", () => {
  expect(() => planV1({ layout: hybrid, resources: { unified: { "memory.high": "5" } } })).toThrow(
    'linux.resources.unified["memory.high"] needs the memory controller of cgroup v2, and on this machine it belongs to cgroup v1',
  );
  expect(() => planV1({ layout: hybrid, resources: { network: { classID: 5 } } })).toThrow(
    "linux.resources.network.classID needs the net_cls controller of cgroups, which is not available",
  );
});

test("v1: realtime budgets come before the processes", () => {
  const { early, writes } = planV1({
    resources: { cpu: { realtimePeriod: 9n, realtimeRuntime: 5n, shares: 7n } },
  });
  expect(early.map(({ file, value }) => `${file}=${value}`)).toEqual([
    "/sys/fs/cgroup/cpu,cpuacct/a/bunc-box/cpu.rt_period_us=9",
    "/sys/fs/cgroup/cpu,cpuacct/a/bunc-box/cpu.rt_runtime_us=5",
  ]);
  expect(writes.some(({ file }) => file.includes("rt_"))).toBe(false);
});
