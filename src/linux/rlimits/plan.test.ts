import { expect, test } from "bun:test";
import { RLIMIT } from "../../../ffi/constants/process.ts";
import { planRlimits } from "./plan.ts";

const context = { callerFiles: { soft: 512n, hard: 20000n } };

test("limits that the container inherits are not set", () => {
  expect(planRlimits([], { callerFiles: "inherited" })).toEqual([]);
});

test("the caller's own limit of open files is given back when config.json has none", () => {
  expect(planRlimits([], context)).toEqual([
    { origin: "the caller's own limit", name: "NOFILE", resource: RLIMIT.NOFILE, soft: 512n, hard: 20000n },
  ]);
});

test("config.json's limits are kept, with their path", () => {
  expect(planRlimits([{ type: "RLIMIT_NOFILE", soft: 1n, hard: 2n }], context)).toEqual([
    { origin: "process.rlimits[0]", name: "NOFILE", resource: 7, soft: 1n, hard: 2n },
  ]);
});

test("an unknown limit is refused by its path", () => {
  expect(() => planRlimits([{ type: "RLIMIT_FOO", soft: 1n, hard: 2n }], context)).toThrow(
    "process.rlimits[0].type",
  );
});
