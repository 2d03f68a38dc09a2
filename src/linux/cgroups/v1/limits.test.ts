import { expect, test } from "bun:test";
import { limitsV1 } from "./limits.ts";

/** `file=value`, and the last key of the property when it is dispensable. */
function files(resources: Parameters<typeof limitsV1>[0]): string[] {
  return limitsV1(resources).flatMap(({ limits }) =>
    limits.map(({ file, value, dispensable }) => `${file}=${value}${dispensable ? "?" : ""}`),
  );
}

test("memory: the limit before the one that includes swap", () => {
  expect(
    files({
      memory: { limit: 100n, swap: 200n, reservation: 50n, swappiness: 0, disableOOMKiller: true },
    }),
  ).toEqual([
    "memory.limit_in_bytes=100",
    "memory.memsw.limit_in_bytes=200",
    "memory.soft_limit_in_bytes=50",
    "memory.swappiness=0",
    "memory.oom_control=1",
  ]);
});

test("memory: unlimited memory is not limited by swap", () => {
  expect(files({ memory: { limit: -1n } })).toEqual([
    "memory.limit_in_bytes=-1",
    "memory.memsw.limit_in_bytes=-1?",
  ]);
});

test("0 and false ask for nothing where callers mean so by them", () => {
  const memory = { limit: 0n, swap: 0n, reservation: 0n, disableOOMKiller: false };
  expect(files({ memory, cpu: { shares: 0n, quota: 0n, period: 0n, cpus: "", mems: "" } })).toEqual([]);
});

test("cpu and cpuset", () => {
  expect(
    files({
      cpu: { shares: 512n, quota: -1n, period: 50000n, burst: 0n, idle: 1, cpus: "0-1", mems: "0" },
    }),
  ).toEqual([
    "cpuset.cpus=0-1",
    "cpuset.mems=0",
    "cpu.shares=512",
    "cpu.cfs_period_us=50000",
    "cpu.cfs_quota_us=-1",
    "cpu.cfs_burst_us=0",
    "cpu.idle=1",
  ]);
});

test("pids: 0 is a limit, -1 is none", () => {
  expect(files({ pids: { limit: 0n } })).toEqual(["pids.max=0"]);
  expect(files({ pids: { limit: -1n } })).toEqual(["pids.max=max"]);
  expect(files({ pids: {} })).toEqual([]);
});

test("every limit knows its property", () => {
  const [memory, cpuset] = limitsV1({ memory: { limit: 1n }, cpu: { cpus: "0" } });
  expect(memory?.limits[0]?.property).toBe("linux.resources.memory.limit");
  expect(cpuset?.limits[0]?.property).toBe("linux.resources.cpu.cpus");
});
