import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exampleRecord } from "../../test/support/record.ts";
import { StateError, type StateProblem } from "../state/error.ts";
import { readProcess } from "../state/process.ts";
import { files, ociVersion } from "../state/record.ts";
import { commit, reserve } from "../state/store.ts";
import { deleteContainer } from "./delete.ts";
import { killContainer } from "./kill.ts";
import { stateOf } from "./state.ts";

// state, kill and delete need no container: a record, a process and a FIFO are all that they look at.

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "life-"));
});
afterAll(() => rmSync(root, { recursive: true }));

const warnings: string[] = [];
const log = { debug() {}, info() {}, warn: (message: string) => warnings.push(message) };

function begin(id: string, { waiting = false, started = 0 } = {}) {
  const init = Bun.spawn(["sleep", "60"]);
  using directory = reserve(root, id);
  if (waiting) writeFileSync(join(root, id, files.startFifo), "");
  const processStartTime = (readProcess(init.pid)?.startTime ?? 0) + started;
  const record = exampleRecord({ id, pid: init.pid, processStartTime });
  commit(directory, record, { freezer: "", directories: [] });
  return init;
}

const statusOf = (id: string) => stateOf(root, id).status;
const remove = (id: string, force = false) => deleteContainer({ root, id, force, log });
const kill = (id: string, signal: number) => killContainer({ root, id, signal, all: false, log });

async function problemOf(action: () => unknown): Promise<[StateProblem, string]> {
  try {
    await action();
  } catch (error) {
    if (error instanceof StateError) return [error.problem, error.message];
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("a running container: its state, a signal, its end, its removal", async () => {
  const init = begin("running");
  expect(stateOf(root, "running")).toEqual({
    ociVersion,
    id: "running",
    pid: init.pid,
    status: "running",
    bundle: "/bundle",
    rootfs: "/bundle/rootfs",
    created: "2026-01-02T03:04:05.000000006Z",
    owner: "root",
  });
  expect(await problemOf(() => remove("running"))).toEqual([
    "conflict",
    'container "running" is running: stop it first, or use delete --force',
  ]);
  kill("running", 0);
  expect(statusOf("running")).toBe("running");
  kill("running", 15);
  await init.exited;
  expect(init.signalCode).toBe("SIGTERM");
  expect(stateOf(root, "running")).toMatchObject({ status: "stopped", pid: 0 });
  // containerd's shim looks for these words.
  expect((await problemOf(() => kill("running", 15)))[1]).toContain("container not running");
  await remove("running");
  expect(existsSync(join(root, "running"))).toBe(false);
});

test("a created container is killed and deleted without being asked for", async () => {
  const init = begin("created", { waiting: true });
  expect(statusOf("created")).toBe("created");
  await remove("created");
  await init.exited;
  expect(init.signalCode).toBe("SIGKILL");
  expect(existsSync(join(root, "created"))).toBe(false);
});

test("a running container is killed and deleted by force", async () => {
  const init = begin("forced");
  await remove("forced", true);
  await init.exited;
  expect(init.signalCode).toBe("SIGKILL");
  expect(existsSync(join(root, "forced"))).toBe(false);
});

test("a process that got init's number later is neither reported nor killed", async () => {
  const stranger = begin("reused", { started: 1 });
  expect(stateOf(root, "reused")).toMatchObject({ status: "stopped", pid: 0 });
  expect((await problemOf(() => kill("reused", 9)))[0]).toBe("conflict");
  await remove("reused", true);
  expect(stranger.exitCode).toBeNull();
  expect(readProcess(stranger.pid)).toBeDefined();
  stranger.kill();
});

test("what is not there", async () => {
  for (const action of [() => remove("none"), () => kill("none", 15), () => stateOf(root, "none")]) {
    expect(await problemOf(action)).toEqual(["missing", 'container "none" does not exist']);
  }
  await remove("none", true);
});

test("what `create` left when it was killed, and what nobody can read, go by force alone", async () => {
  mkdirSync(join(root, "half"));
  writeFileSync(join(root, "half", files.startFifo), "");
  expect((await problemOf(() => remove("half")))[0]).toBe("missing");
  await remove("half", true);
  expect(existsSync(join(root, "half"))).toBe(false);

  mkdirSync(join(root, "torn"));
  writeFileSync(join(root, "torn", files.record), "{");
  expect((await problemOf(() => remove("torn")))[0]).toBe("damaged");
  warnings.length = 0;
  await remove("torn", true);
  expect(warnings.length).toBe(1);
  expect(existsSync(join(root, "torn"))).toBe(false);
});

test("annotations are part of the state", () => {
  const init = begin("noted");
  const path = join(root, "noted", files.record);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), annotations: { a: "b" } }));
  expect(stateOf(root, "noted").annotations).toEqual({ a: "b" });
  init.kill();
});
