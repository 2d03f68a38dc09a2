import { expect, test } from "bun:test";
import { isReady } from "./notify.ts";

test.each([
  ["READY=1", true],
  ["READY=1\n", true],
  ["STATUS=up\nREADY=1\nX=2", true],
  ["READY=0", false],
  ["STATUS=READY=1", false],
  ["BARRIER=1", false],
  ["", false],
])("%j: ready is %p", (message, ready) => {
  expect(isReady(message)).toBe(ready);
});
