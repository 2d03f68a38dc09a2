import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SyscallError } from "../../ffi/error.ts";
import { formatRecord, Log } from "./log.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "log-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

const time = new Date("2026-01-02T03:04:05.678Z");

test("records are those of logrus, which callers parse", () => {
  expect(formatRecord("json", "error", 'a "b"', time)).toBe(
    '{"level":"error","msg":"a \\"b\\"","time":"2026-01-02T03:04:05Z"}\n',
  );
  expect(formatRecord("text", "warning", 'a "b"', time)).toBe(
    'time="2026-01-02T03:04:05Z" level=warning msg="a \\"b\\""\n',
  );
});

test("a file is appended to, a record a line; only levels asked for are written", () => {
  const file = join(directory, "log.json");
  writeFileSync(file, '{"level":"error","msg":"older"}\n');
  const log = new Log({ file, format: "json", level: "info" });
  log.info("one\n  two");
  log.debug("hidden");
  log.warn("three\n");
  const records = readFileSync(file, "utf8").trim().split("\n");
  expect(records.map((record) => JSON.parse(record).msg)).toEqual(["older", "one; two", "three"]);
});

test("a new file is readable for others", () => {
  const file = join(directory, "new.log");
  new Log({ file, format: "text", level: "warning" });
  expect(statSync(file).mode & 0o777).toBe(0o644);
});

test("a file that cannot be opened is an error", () => {
  expect(() => new Log({ file: join(directory, "no/such"), format: "text", level: "warning" })).toThrow(
    SyscallError,
  );
});
