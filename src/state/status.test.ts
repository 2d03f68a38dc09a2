import { expect, test } from "bun:test";
import { parseProcess, readProcess } from "./process.ts";
import { decideStatus } from "./status.ts";

const record = { processStartTime: 4711 };

test.each([
  ["created", { state: "S", startTime: 4711 }, true],
  ["running", { state: "S", startTime: 4711 }, false],
  ["running", { state: "T", startTime: 4711 }, false],
  ["stopped", undefined, false],
  ["stopped", undefined, true],
  ["stopped", { state: "Z", startTime: 4711 }, false],
  ["stopped", { state: "X", startTime: 4711 }, false],
  ["stopped", { state: "R", startTime: 4712 }, false],
  ["stopped", { state: "R", startTime: 4712 }, true],
] as const)("%s: process %p, start FIFO %p", (status, process, waiting) => {
  expect(decideStatus(record, { process, waiting, frozen: false })).toBe(status);
  // Started or not; but what has ended is not paused.
  const frozen = decideStatus(record, { process, waiting, frozen: true });
  expect(frozen).toBe(status === "stopped" ? "stopped" : "paused");
});

test("a command's name cannot pass for the fields after it", () => {
  const fields = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99 20";
  expect(parseProcess(`7 (a) Z 1 (b c) S ${fields}\n`)).toEqual({ state: "S", startTime: 99 });
  expect(parseProcess("")).toBeUndefined();
  expect(parseProcess("7 (short) S 1 2")).toBeUndefined();
});

test("this process runs; process 0 does not exist", () => {
  expect(readProcess(process.pid)?.startTime).toBeGreaterThan(0);
  expect(readProcess(0)).toBeUndefined();
});
