import { expect, test } from "bun:test";
import { parseDuration } from "./duration.ts";

test.each([
  ["5s", 5000],
  ["1m30s", 90_000],
  ["500ms", 500],
  ["1.5s", 1500],
  [".5s", 500],
  ["1h", 3_600_000],
  ["10us", 0.01],
  ["7", 7000],
  ["0s", 0],
])("%s", (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each(["", "s", "5x", "5 s", "-5s", "1.2.3s", "."])("%p is no duration", (text) => {
  expect(parseDuration(text) ?? "none").toBe("none");
});
