// On the machine's own hierarchies, in cgroups made for these tests and removed after them.
import { afterAll, afterEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import type { Resources } from "../../spec/types.ts";
import { applyLimits, createCgroup, enterCgroup } from "./apply.ts";
import { type CgroupRecord, controllerPath, directoriesOf, unifiedPath } from "./cgroup-record.ts";
import { destroyCgroup, removeTree } from "./destroy.ts";
import { freezeCgroup, thawCgroup } from "./freeze.ts";
import { isFrozen } from "./frozen.ts";
import { killCgroup, signalCgroup } from "./kill.ts";
import { parseCgroupLayout } from "./layout.ts";
import { planCgroup } from "./plan.ts";
import { processesOf } from "./processes.ts";

const layout = parseCgroupLayout(
  readFileSync("/proc/self/mountinfo", "utf8"),
  readFileSync("/proc/self/cgroup", "utf8"),
);
const available = process.getuid?.() === 0 && layout.kind !== "none";
const machineTest = test.skipIf(!available);
const v1Test = test.skipIf(!available || layout.kind !== "v1");

const top = `/bunc-room-test-${process.pid}`;
const mountpoints =
  layout.kind === "v1"
    ? [...layout.hierarchies, ...(layout.unified ? [layout.unified] : [])].map(({ mountpoint }) => mountpoint)
    : layout.kind === "v2"
      ? [layout.mountpoint]
      : [];

const sleepers: Bun.Subprocess[] = [];

function sleeper(): number {
  const started = Bun.spawn(["sleep", "1000"], { stdio: ["ignore", "ignore", "ignore"] });
  sleepers.push(started);
  return started.pid;
}

afterEach(async () => {
  for (const started of sleepers.splice(0)) {
    started.kill("SIGKILL");
    await started.exited;
  }
});

afterAll(() => {
  for (const mountpoint of mountpoints) removeTree(-100, mountpoint + top);
});

function plan(name: string, resources: Resources = {}) {
  const context = {
    id: `room-test-${process.pid}`,
    layout,
    privileged: true,
    manager: "cgroupfs",
    owner: undefined,
    systemd: { kind: "unasked" },
  } as const;
  return planCgroup({ cgroupsPath: name && `${top}/${name}`, resources, annotations: {} }, context);
}

function create(name: string, resources?: Resources): CgroupRecord {
  const record = createCgroup(plan(name, resources));
  if (!record) throw new Error("no cgroup was made");
  return record;
}

function paths(record: CgroupRecord): string[] {
  return directoriesOf(record).map(({ path }) => path);
}

machineTest("a cgroup in every hierarchy, entered, and gone with its process", () => {
  const record = create("life");
  const pid = sleeper();
  enterCgroup(record, pid);
  expect(processesOf(record)).toEqual([pid]);
  const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n");
  const within = groups.filter((line) => line.endsWith(`${top}/life`));
  expect(within.length).toBe(mountpoints.length);
  // As state.json has it.
  destroyCgroup(JSON.parse(JSON.stringify(record)));
  expect(paths(record).filter((path) => existsSync(path))).toEqual([]);
  expect(processesOf(record)).toEqual([]);
  destroyCgroup(record);
});

machineTest("one with a process in it is refused, and what was made until then is removed", () => {
  const record = create("used");
  enterCgroup(record, sleeper());
  const [first] = paths(record);
  if (!first) throw new Error("no path");
  const others = paths(record).slice(0, -1);
  expect(() => create("used")).toThrow(
    `linux.cgroupsPath leads to ${first}, which has a process already: a container needs an empty cgroup of its own`,
  );
  expect(others.every((path) => existsSync(path))).toBe(true);
  destroyCgroup(record);
});

machineTest("when it cannot be had in one hierarchy, what was made in the others is removed", () => {
  if (mountpoints.length < 3) return;
  const places = mountpoints.map((mountpoint) => `${mountpoint}${top}/half`);
  const [prepared = "", used = ""] = [places[0], places.at(-1)];
  for (const path of [prepared, used]) mkdirSync(path, { recursive: true });
  writeFileSync(`${used}/cgroup.procs`, String(sleeper()));
  expect(() => create("half")).toThrow(/has a process already/);
  // What somebody else made is somebody else's.
  expect(places.filter((path) => existsSync(path))).toEqual([prepared, used]);
  expect(killCgroup({ kind: "v2", path: used })).toBe(true);
  for (const path of [prepared, used]) rmdirSync(path);
});

machineTest("an empty one that somebody made is taken, and goes with the container", () => {
  const path = `${mountpoints[0]}${top}/taken`;
  mkdirSync(path, { recursive: true });
  const record = create("taken");
  expect(paths(record)[0]).toBe(path);
  destroyCgroup(record);
  expect(existsSync(path)).toBe(false);
});

machineTest("a frozen one is refused", () => {
  const record = create("frozen");
  expect(freezeCgroup(record)).toBe(true);
  expect(() => create("frozen")).toThrow(/^linux\.cgroupsPath leads to .*, which is frozen/);
  thawCgroup(record);
  destroyCgroup(record);
});

machineTest("what is left under a name of ours is replaced, with its limits", () => {
  const resources = layout.kind === "v1" ? { pids: { limit: 7n } } : {};
  const planned = plan("", resources);
  const record = createCgroup(planned);
  applyLimits(planned);
  const again = createCgroup(plan(""));
  expect(again).toEqual(record);
  const pids = record && controllerPath(record, "pids");
  if (pids) expect(readFileSync(`${pids}/pids.max`, "utf8")).toBe("max\n");
  destroyCgroup(again);
});

machineTest(
  "cgroups that were made inside go too, however deep they are, and so does what runs in them",
  () => {
    const record = create("deep");
    for (const path of paths(record)) {
      const nested = `${path}${"/a-name-that-is-not-short".repeat(20)}`;
      mkdirSync(nested, { recursive: true });
      mkdirSync(`${path}/beside/it`, { recursive: true });
    }
    const pid = sleeper();
    enterCgroup(record, pid);
    const unified = unifiedPath(record);
    if (unified) writeFileSync(`${unified}/beside/it/cgroup.procs`, String(pid));
    expect(processesOf(record)).toEqual([pid]);
    destroyCgroup(record);
    expect(paths(record).filter((path) => existsSync(path))).toEqual([]);
  },
);

/** The letter of the state in /proc/PID/stat. */
function stateOf(pid: number): string {
  return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1] ?? "";
}

machineTest("freezing stops, killing ends, and a signal leaves what was frozen frozen", async () => {
  const record = create("freeze");
  const pid = sleeper();
  enterCgroup(record, pid);
  expect(isFrozen(record)).toBe(false);
  signalCgroup(record, 18);
  expect(isFrozen(record)).toBe(false);
  expect(freezeCgroup(record)).toBe(true);
  expect(isFrozen(record)).toBe(true);
  signalCgroup(record, 18);
  expect(isFrozen(record)).toBe(true);
  thawCgroup(record);
  // It may not be asleep again yet.
  expect("RS").toContain(stateOf(pid));
  freezeCgroup(record);
  expect(killCgroup(record)).toBe(true);
  expect(await sleepers[0]?.exited).toBe(137);
  destroyCgroup(record);
});

v1Test("killing does without cgroup.kill, and takes what is frozen", async () => {
  const record = create("signals");
  const directories = directoriesOf(record).filter(({ controllers }) => controllers !== "");
  enterCgroup(record, sleeper());
  enterCgroup(record, sleeper());
  const v1 = { kind: "v1", directories } as const;
  expect(processesOf(v1).length).toBe(2);
  freezeCgroup(v1);
  expect(killCgroup(v1)).toBe(true);
  expect(processesOf(v1)).toEqual([]);
  destroyCgroup(record);
});

v1Test("limits that depend on each other are set whatever the cgroup had before", () => {
  const bytes = (mebibytes: number) => BigInt(mebibytes) << 20n;
  const small = { memory: { limit: bytes(100), swap: bytes(100) } };
  const large = { memory: { limit: bytes(200), swap: bytes(300) } };
  const record = create("memory");
  const path = controllerPath(record, "memory");
  for (const resources of [small, large, small]) {
    applyLimits(plan("memory", resources));
    const read = (file: string) => BigInt(readFileSync(`${path}/memory.${file}limit_in_bytes`, "utf8"));
    expect([read(""), read("memsw.")]).toEqual([resources.memory.limit, resources.memory.swap]);
  }
  destroyCgroup(record);
});

v1Test("a value that the kernel refuses is named with its property and file", () => {
  const record = create("refused");
  const path = controllerPath(record, "cpu");
  expect(() => applyLimits(plan("refused", { cpu: { quota: 5n } }))).toThrow(
    `linux.resources.cpu.quota could not be set: ${path}/cpu.cfs_quota_us does not take 5`,
  );
  destroyCgroup(record);
});

v1Test("a new cpuset has what the one above it has, at every level", () => {
  const record = create("level/below");
  const path = controllerPath(record, "cpuset") ?? "";
  const read = (directory: string) => readFileSync(`${directory}/cpuset.cpus`, "utf8");
  expect(read(path)).toBe(read(path.replace(/\/bunc-room-test.*/, "")));
  destroyCgroup(record);
});
