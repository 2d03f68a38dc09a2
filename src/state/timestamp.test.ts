import { expect, test } from "bun:test";
import { rfc3339Nano, timestamp } from "./timestamp.ts";

test("times are RFC 3339 with nanoseconds", () => {
  expect(rfc3339Nano(1_767_323_045, 6)).toBe("2026-01-02T03:04:05.000000006Z");
  expect(timestamp()).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
});
