import { describe, expect, test } from "bun:test";
import { RLIMIT } from "../../../ffi/constants/process.ts";
import { planRlimits, planSetUpLimits } from "./plan.ts";

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

describe("open files while the container is set up", () => {
  const soft = (sources: number, limit: { soft: bigint; hard: bigint } | undefined) => {
    const { during, after } = planSetUpLimits(sources, limit);
    return [...during, ...after].map((rlimit) => [rlimit.soft, rlimit.hard]);
  };

  test("are as the caller allows, where that is enough or unknown", () => {
    expect(soft(10, undefined)).toEqual([]);
    expect(soft(100, { soft: 1024n, hard: 4096n })).toEqual([]);
    expect(soft(1000, { soft: 100n, hard: 100n })).toEqual([]);
  });

  test("are more for the time being, within the hard limit", () => {
    const hard = 4096n;
    expect(soft(100, { soft: 128n, hard })).toEqual([
      [164n, hard],
      [128n, hard],
    ]);
    expect(soft(5000, { soft: 128n, hard })).toEqual([
      [hard, hard],
      [128n, hard],
    ]);
  });
});
