import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stopwatch } from "./measure.ts";

const directory = mkdtempSync(join(tmpdir(), "bunc-bench-test-"));
const stopwatch = new Stopwatch(join(directory, "messages"));
const shell = (script: string) => stopwatch.prepare(["/bin/sh", "-c", script], directory);

afterAll(() => {
  stopwatch[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

test("the time is that of the whole program", () => {
  const elapsed = stopwatch.time(stopwatch.prepare(["/bin/sleep", "0.05"]));
  expect(elapsed).toBeGreaterThan(50);
  expect(elapsed).toBeLessThan(5000);
});

test("a failing program throws, with its status and what it said", () => {
  expect(() => stopwatch.time(shell("echo no such thing >&2; exit 3"))).toThrow(
    "exit status 3: no such thing",
  );
});

test("a signal's status is a shell's", () => {
  expect(() => stopwatch.time(shell("kill -KILL $$"))).toThrow("exit status 137");
});

test("what an earlier program said is forgotten", () => {
  stopwatch.time(shell("echo long ago >&2"));
  expect(() => stopwatch.time(shell("exit 1"))).toThrow(/exit status 1$/);
});

test("a missing program throws", () => {
  expect(() => stopwatch.time(stopwatch.prepare(["/nowhere/at/all"]))).toThrow("ENOENT");
});

test("a program gets three descriptors, ordinary signals, PATH, and its directory", () => {
  stopwatch.time(shell("ls /proc/self/fd >fds; cat /proc/self/status >status; env >env; pwd >cwd"));
  const read = (name: string) => readFileSync(join(directory, name), "utf8");
  // 3 is ls's own, for the directory.
  expect(read("fds").trim().split("\n")).toEqual(["0", "1", "2", "3"]);
  expect(read("status")).toMatch(/^SigBlk:\s0+\nSigIgn:\s0+$/m);
  expect(read("env")).not.toContain("HOME=");
  expect(read("cwd").trim()).toBe(directory);
});
