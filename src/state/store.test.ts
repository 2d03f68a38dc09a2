import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { O } from "../../ffi/constants/file.ts";
import { openFile } from "../../ffi/file.ts";
import { exampleRecord } from "../../test/support/record.ts";
import type { StateProblem } from "./error.ts";
import { StateError } from "./error.ts";
import { lock } from "./lock.ts";
import { recordVersion, type StateRecord } from "./record.ts";
import { checkId, commit, listIds, load, openContainer, remove, reserve } from "./store.ts";

const noCgroups = { freezer: "", directories: [] };

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "store-"));
});
afterAll(() => rmSync(root, { recursive: true }));

function recordOf(id: string): StateRecord {
  return exampleRecord({
    id,
    annotations: { a: "é" },
    cgroup: { kind: "v1", directories: [{ controllers: "cpu", path: "/x" }] },
  });
}

function thrown(action: () => unknown): StateError {
  try {
    action();
  } catch (error) {
    if (error instanceof StateError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function expectProblem(action: () => unknown, problem: StateProblem, message: string | RegExp): void {
  const error = thrown(action);
  expect(error.problem).toBe(problem);
  expect(error.message).toMatch(message);
}

test("a container's life: reserved, committed, loaded, listed, removed", () => {
  const directory = reserve(root, "life");
  expect(statSync(join(root, "life")).mode & 0o777).toBe(0o700);
  expectProblem(() => load(root, "life"), "missing", /does not exist/);
  commit(directory, recordOf("life"), noCgroups);
  expect(statSync(join(root, "life/state.json")).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(root, "life"))).toEqual(["state.json"]);
  expect(load(root, "life")).toEqual({ ...recordOf("life"), brief: expect.any(Array) });
  expect(load(root, "life", directory)).toEqual({ ...recordOf("life"), brief: expect.any(Array) });
  mkdirSync(join(root, ".cache"));
  expect(listIds(root)).toEqual(["life"]);
  writeFileSync(join(root, "life/start"), "");
  mkdirSync(join(root, "life/notify"));
  writeFileSync(join(root, "life/notify/notify.sock"), "");
  remove(root, "life", directory);
  directory.close();
  expect(existsSync(join(root, "life"))).toBe(false);
});

test("an id is reserved once", () => {
  using _ = reserve(root, "once");
  expectProblem(() => reserve(root, "once"), "exists", 'container "once" already exists');
});

test("a container that is not there", () => {
  expectProblem(() => load(root, "none"), "missing", 'container "none" does not exist');
  expectProblem(() => openContainer(root, "none"), "missing", 'container "none" does not exist');
  expect(listIds(join(root, "nowhere"))).toEqual([]);
});

test.each<[string, string, RegExp]>([
  ["empty", "", /is damaged/],
  ["truncated", JSON.stringify(recordOf("torn")).slice(0, 60), /is damaged/],
  ["null", "null", /incomplete/],
  ["an array", "[]", /incomplete/],
  ["another container's", JSON.stringify(recordOf("other")), /incomplete/],
  ["without a pid", JSON.stringify({ ...recordOf("torn"), pid: undefined }), /incomplete/],
  // kill(2) takes -1 for everybody and 0 for the caller's group.
  ["with the pid -1", JSON.stringify({ ...recordOf("torn"), pid: -1 }), /incomplete/],
  ["without annotations", JSON.stringify({ ...recordOf("torn"), annotations: null }), /incomplete/],
  ["without a bundle", JSON.stringify({ ...recordOf("torn"), bundle: undefined }), /incomplete/],
  ["with the pid 0", JSON.stringify({ ...recordOf("torn"), pid: 0 }), /incomplete/],
  ["without a start time", JSON.stringify({ ...recordOf("torn"), processStartTime: null }), /incomplete/],
  // Their paths are removed, and who is in them is killed.
  ...[
    undefined,
    "/x",
    5,
    {},
    { path: "x" },
    { path: null },
    { directories: {} },
    { directories: [null] },
    { directories: [{ path: "/x" }] },
    { directories: [{ controllers: "", path: "../x" }] },
  ].map((cgroup): [string, string, RegExp] => [
    `with the cgroups ${JSON.stringify(cgroup)}`,
    JSON.stringify({ ...recordOf("torn"), cgroup }),
    /incomplete/,
  ]),
  ["newer", JSON.stringify({ ...recordOf("torn"), version: recordVersion + 1 }), /made by a newer bunc/],
])("a record that is %s is refused", (_, text, message) => {
  rmSync(join(root, "torn"), { recursive: true, force: true });
  using directory = reserve(root, "torn");
  writeFileSync(join(root, "torn/state.json"), text);
  expectProblem(() => load(root, "torn"), "damaged", message);
  expectProblem(() => load(root, "torn", directory), "damaged", message);
});

test("ids that could name another place are refused", () => {
  for (const id of ["", ".", "..", "a/b", "/", "a b", "a\n", "é", "a\0", "../x", ".hidden"]) {
    expectProblem(() => checkId(id), "invalid", /invalid container id/);
    expectProblem(() => load(root, id), "invalid", /invalid container id/);
  }
  for (const id of ["a", "buildah-buildah3141", "A_+.-9", "-x", "f".repeat(64)]) checkId(id);
});

test("one holder of a lock at a time; the next one waits, and gives up with a clear message", () => {
  const first = reserve(root, "locked");
  expectProblem(
    () => {
      using second = openFile(join(root, "locked"), O.RDONLY);
      lock(second.fd, "locked", 30);
    },
    "conflict",
    'container "locked" is busy',
  );
  first.close();
  openContainer(root, "locked").close();
});

test("who waited for the lock of a container that was deleted meanwhile finds it missing", () => {
  const directory = reserve(root, "gone");
  commit(directory, recordOf("gone"), noCgroups);
  remove(root, "gone", directory);
  expectProblem(() => load(root, "gone", directory), "missing", /does not exist/);
  directory.close();
});

test("a record is replaced whole", () => {
  using directory = reserve(root, "twice");
  commit(directory, recordOf("twice"), noCgroups);
  commit(directory, { ...recordOf("twice"), pid: 43 }, noCgroups);
  expect(JSON.parse(readFileSync(join(root, "twice/state.json"), "utf8")).pid).toBe(43);
});
