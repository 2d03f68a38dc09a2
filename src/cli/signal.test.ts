import { expect, test } from "bun:test";
import { parseSignal } from "./signal.ts";

test.each([
  ["TERM", 15],
  ["SIGTERM", 15],
  ["sigterm", 15],
  ["term", 15],
  ["15", 15],
  ["9", 9],
  ["KILL", 9],
  ["0", 0],
  ["64", 64],
  ["CLD", 17],
  ["SIGPOLL", 29],
  ["IOT", 6],
  ["WINCH", 28],
  ["RTMIN", 34],
  ["SIGRTMIN+3", 37],
  ["RTMAX", 64],
  ["sigrtmax-1", 63],
])("%s is %i", (text, number) => {
  expect(parseSignal(text)).toBe(number);
});

test.each([
  "",
  "SIG",
  "FOO",
  "65",
  "-9",
  "9.0",
  "0x9",
  "1e1",
  " 9",
  "SIGSIGTERM",
  "RTMIN-1",
  "RTMIN+31",
  "RTMAX-31",
  "RTMAX+1",
  "constructor",
])("%j is no signal", (text) => {
  expect(() => parseSignal(text)).toThrow(`unknown signal "${text}"`);
});
