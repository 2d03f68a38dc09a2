// Trees of real files, as the kernel has them.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { CgroupRecord } from "./cgroup-record.ts";
import { updateLimits } from "./update.ts";

const top = mkdtempSync(join(tmpdir(), "bunc-update-"));
afterAll(() => rmSync(top, { recursive: true }));

let count = 0;

function tree(files: Readonly<Record<string, string>>): string {
  const root = join(top, String(count++));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

/** A cgroup of version 2 beneath a mount point, with its controllers on. */
function v2(files: Readonly<Record<string, string>>): CgroupRecord & { kind: "v2" } {
  const names = "cpu memory pids\n";
  const root = tree({
    "cgroup.controllers": names,
    "cgroup.subtree_control": names,
    "box/cgroup.controllers": names,
    ...Object.fromEntries(Object.entries(files).map(([file, text]) => [`box/${file}`, text])),
  });
  return { kind: "v2", path: `${root}/box` };
}

/** A file begins with what was written last: these, unlike the kernel's, keep what was longer before. */
function expectFile(path: string, value: string): void {
  expect(readFileSync(path, "utf8")).toStartWith(value);
}

test("v2: what is not given stays, the other half of a file, too", () => {
  const record = v2({ "cpu.max": "20000 50000\n", "cpu.weight": "100\n" });
  expect(updateLimits(record, { cpu: { period: 70000n } })).toEqual([
    `linux.resources.cpu: 20000 70000 to ${record.path}/cpu.max`,
  ]);
  expectFile(`${record.path}/cpu.max`, "20000 70000");
  updateLimits(record, { cpu: { quota: 90000n } });
  expectFile(`${record.path}/cpu.max`, "90000 70000\n");
  expectFile(`${record.path}/cpu.weight`, "100\n");
});

test("v2: memory and swap together are counted from the limit that is there", () => {
  const record = v2({ "memory.max": "1000\n", "memory.swap.max": "max\n" });
  updateLimits(record, { memory: { swap: 1500n } });
  expectFile(`${record.path}/memory.max`, "1000\n");
  expectFile(`${record.path}/memory.swap.max`, "500\n");
  expect(() => updateLimits(record, { memory: { swap: 900n } })).toThrow(/^linux\.resources\.memory\.swap/);
});

test("v2: a controller that is not on is turned on above", () => {
  const root = tree({
    "cgroup.controllers": "cpu pids\n",
    "cgroup.subtree_control": "cpu\n",
    "box/cgroup.controllers": "cpu\n",
    "box/pids.max": "max\n",
  });
  updateLimits({ kind: "v2", path: `${root}/box` }, { pids: { limit: 5n } });
  expect(readFileSync(`${root}/cgroup.subtree_control`, "utf8")).toBe("+pids");
  expect(() => updateLimits({ kind: "v2", path: `${root}/box` }, { memory: { limit: 5n } })).toThrow(
    "linux.resources.memory.limit needs the memory controller",
  );
});

test("when one is refused, the others have their old values again", () => {
  const record = v2({ "cpu.weight": "100\n", "cpu.max": "max 100000\n" });
  // pids.max is not there, as where the kernel has no such file.
  const resources = { cpu: { shares: 2n, quota: 5000n }, pids: { limit: 5n } };
  expect(() => updateLimits(record, resources)).toThrow(/^linux\.resources\.pids\.limit/);
  expectFile(`${record.path}/cpu.weight`, "100\n");
  expectFile(`${record.path}/cpu.max`, "max 100000");
});

test("v1: each in the hierarchy of its controller; one that the container lacks is named", () => {
  const root = tree({ "cpu,cpuacct/cpu.shares": "1024\n", "memory/memory.limit_in_bytes": "9\n" });
  const record: CgroupRecord = {
    kind: "v1",
    directories: [
      { controllers: "cpu,cpuacct", path: `${root}/cpu,cpuacct` },
      { controllers: "memory", path: `${root}/memory` },
    ],
  };
  updateLimits(record, { cpu: { shares: 7n }, memory: { limit: 5n } });
  expectFile(`${root}/cpu,cpuacct/cpu.shares`, "7");
  expectFile(`${root}/memory/memory.limit_in_bytes`, "5\n");
  expect(() => updateLimits(record, { pids: { limit: 5n } })).toThrow(
    "linux.resources.pids.limit needs the pids controller of cgroups, which is not available: the machine has cpu, cpuacct, memory",
  );
});

test("rules of devices stay as they are", () => {
  const record = v2({});
  expect(updateLimits(record, { devices: [{ allow: false, access: "rwm" }] })).toEqual([
    "linux.resources.devices: the rules of create stay",
  ]);
});
