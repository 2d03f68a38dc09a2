import { expect, test } from "bun:test";
import { weightOf } from "./cpu.ts";
import { limitsV2 } from "./limits.ts";

function files(resources: Parameters<typeof limitsV2>[0]): string[] {
  return limitsV2(resources).flatMap(({ limits }) =>
    limits.map(({ file, value, dispensable }) => `${file}=${value}${dispensable ? "?" : ""}`),
  );
}

test("memory: swap is limited without memory", () => {
  const memory = { limit: 100n, swap: 250n, reservation: -1n };
  expect(files({ memory })).toEqual(["memory.swap.max=150", "memory.max=100", "memory.low=max"]);
});

test("memory: no swap, and no limit of it, need no swap accounting", () => {
  expect(files({ memory: { limit: 100n, swap: 100n } })).toEqual(["memory.swap.max=0?", "memory.max=100"]);
  expect(files({ memory: { limit: 100n, swap: -1n } })).toEqual(["memory.swap.max=max?", "memory.max=100"]);
  expect(files({ memory: { limit: -1n } })).toEqual(["memory.swap.max=max?", "memory.max=max"]);
  expect(files({ memory: { limit: 100n } })).toEqual(["memory.max=100"]);
});

test("memory: what version 2 cannot express is refused by name", () => {
  expect(() => limitsV2({ memory: { swap: 100n } })).toThrow(
    /^linux\.resources\.memory\.swap is 100: .*limit/,
  );
  expect(() => limitsV2({ memory: { swappiness: 1 } })).toThrow(
    /^linux\.resources\.memory\.swappiness has no/,
  );
  expect(() => limitsV2({ memory: { disableOOMKiller: true } })).toThrow(/disableOOMKiller has no/);
  expect(files({ memory: { disableOOMKiller: false } })).toEqual([]);
});

test("cpu", () => {
  expect(files({ cpu: { shares: 1024n, quota: 20000n, burst: 1000n, idle: 0 } })).toEqual([
    "cpu.weight=100",
    "cpu.max=20000 100000",
    "cpu.max.burst=1000",
    "cpu.idle=0",
  ]);
  expect(files({ cpu: { quota: -1n, period: 5000n } })).toEqual(["cpu.max=max 5000"]);
  expect(files({ cpu: { period: 5000n } })).toEqual(["cpu.max=max 5000"]);
});

test("cpu shares: both ends and the default keep their meaning, and more is never less", () => {
  expect([0n, 1n, 2n, 1024n, 262144n, 1n << 63n].map(weightOf)).toEqual([1, 1, 1, 100, 10_000, 10_000]);
  let last = 0;
  for (let shares = 2n; shares <= 262144n; shares += 97n) {
    const weight = weightOf(shares);
    expect(weight).toBeGreaterThanOrEqual(last);
    last = weight;
  }
});

test("unified: as it stands, a line a write, under the controller that its name begins with", () => {
  const limits = limitsV2({
    pids: { limit: 5n },
    unified: { "pids.max": "7", "io.max": "8:0 rbps=1\n8:16 rbps=2\n", "cgroup.max.depth": "3" },
  });
  expect(limits.map(({ controller }) => controller)).toEqual(["pids", "pids", "io", "io", "cgroup"]);
  expect(limits.flatMap((each) => each.limits.map(({ file, value }) => `${file}=${value}`))).toEqual([
    "pids.max=5",
    "pids.max=7",
    "io.max=8:0 rbps=1",
    "io.max=8:16 rbps=2",
    "cgroup.max.depth=3",
  ]);
  expect(limits[1]?.limits[0]?.property).toBe('linux.resources.unified["pids.max"]');
});
