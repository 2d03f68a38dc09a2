// On plain files in place of a hierarchy: which files are written, and what is written to them.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlannedControllers } from "../planned.ts";
import { enableControllers } from "./controllers.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "controllers-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function group(path: string, available: string, enabled: string): void {
  mkdirSync(root + path, { recursive: true });
  writeFileSync(`${root}${path}/cgroup.controllers`, `${available}\n`);
  writeFileSync(`${root}${path}/cgroup.subtree_control`, enabled);
}

function written(path: string): string {
  return readFileSync(`${root}${path}/cgroup.subtree_control`, "utf8");
}

function enable(path: string, controllers: PlannedControllers): void {
  const directory = { controllers: "", mountpoint: root, path: root + path, neededBy: "", fresh: true };
  enableControllers(directory, controllers);
}

const memory = { name: "memory", property: "linux.resources.memory.limit" };

test("what is needed is turned on from the mount point down, where it is not on already", () => {
  group("", "cpu memory pids", "memory");
  group("/a", "memory", "");
  group("/a/b", "", "");
  enable("/a/b", { needed: [memory], others: false, elsewhere: [] });
  expect([written(""), written("/a"), written("/a/b")]).toEqual(["memory", "+memory", ""]);
});

test("nothing is touched when it works already", () => {
  group("", "", "");
  group("/a", "memory", "");
  enable("/a", { needed: [memory], others: false, elsewhere: [] });
  expect(written("")).toBe("");
});

test("all that there are, for a caller who reads them", () => {
  group("", "cpu memory pids", "");
  group("/a", "", "");
  enable("/a", { needed: [], others: true, elsewhere: [] });
  expect(written("")).toBe("+cpu +memory +pids");
});

test("a needed one that is not there is named, with those that are", () => {
  group("", "cpu pids", "");
  group("/a", "", "");
  expect(() => enable("/a", { needed: [memory], others: true, elsewhere: [] })).toThrow(
    "linux.resources.memory.limit needs the memory controller of cgroups, which is not available: the machine has cpu, pids;",
  );
  expect(written("")).toBe("");
});

test("one that cannot be turned on is named with its file; others are gone without", () => {
  group("", "cpu memory", "");
  group("/a", "", "");
  rmSync(`${root}/cgroup.subtree_control`);
  mkdirSync(`${root}/cgroup.subtree_control`);
  expect(() => enable("/a", { needed: [memory], others: false, elsewhere: [] })).toThrow();
});
