import { expect, test } from "bun:test";
import { probeBoundingSet, probeLastCapability } from "./capabilities.ts";

test("the bounding set is the same from /proc as asked for one by one", () => {
  const last = probeLastCapability();
  expect(probeBoundingSet(last)).toBe(probeBoundingSet(last, ""));
  expect(probeBoundingSet(last, "CapEff:\t00000000000000ff\nCapBnd:\t00000000000004fb\nCapAmb:\t0\n")).toBe(
    0x4fbn,
  );
});
