import { expect, test } from "bun:test";
import { describe, joinPath } from "./describe.ts";

test("values in a few words of one line", () => {
  expect(["a", 5, 2n ** 64n, true, null, undefined, [], [1], {}].map(describe)).toEqual([
    '"a"',
    "5",
    "18446744073709551616",
    "true",
    "null",
    "missing",
    "an empty list",
    "a list",
    "an object",
  ]);
  expect(describe("a\nb\u009b\u202e")).toBe('"a\\nb\\u009b\\u202e"');
  expect(describe("x".repeat(61))).toBe(`"${"x".repeat(60)}…"`);
});

test("JSON paths", () => {
  expect(joinPath("", "linux")).toBe("linux");
  expect(joinPath("linux", "sysctl")).toBe("linux.sysctl");
  expect(joinPath("linux.sysctl", "a.b\n")).toBe('linux.sysctl["a.b\\n"]');
  expect(joinPath("mounts", 3)).toBe("mounts[3]");
});
