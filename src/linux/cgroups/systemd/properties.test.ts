import { expect, test } from "bun:test";
import type { BusValue } from "../../../../ffi/structs/bus-value.ts";
import { limitsV1 } from "../v1/limits.ts";
import { limitsV2 } from "../v2/limits.ts";
import { bitsOf, ioWeightOf, propertiesOf } from "./properties.ts";

const infinity = (1n << 64n) - 1n;

function plain(value: BusValue): unknown {
  switch (value.kind) {
    case "array":
      return value.items.map(plain);
    case "struct":
      return value.members.map(plain);
    default:
      return value.value;
  }
}

/** The properties for files of version 2, by name. */
function v2(files: Readonly<Record<string, string>>, version = 255): unknown {
  const writes = Object.entries(files).map(([file, value]) => ({ file: `/sys/fs/cgroup/x/${file}`, value }));
  const found = propertiesOf(writes, { unified: true, version });
  return Object.fromEntries(found.map(({ name, value }) => [name, plain(value)]));
}

test("the limits of config.json, in version 2", () => {
  const resources = {
    memory: { limit: 1000n, reservation: 500n, swap: 3000n },
    cpu: { shares: 1024n, quota: 50_000n, period: 100_000n, cpus: "0-1,9", mems: "0" },
    pids: { limit: 77n },
  };
  const files = limitsV2(resources).flatMap(({ limits }) => limits.map(({ file, value }) => [file, value]));
  expect(v2(Object.fromEntries(files))).toEqual({
    MemoryMax: 1000n,
    MemoryLow: 500n,
    MemorySwapMax: 2000n,
    CPUWeight: 100n,
    CPUQuotaPeriodUSec: 100_000n,
    CPUQuotaPerSecUSec: 500_000n,
    AllowedCPUs: [3n, 2n],
    AllowedMemoryNodes: [1n],
    TasksMax: 77n,
  });
});

test("the limits of config.json, in version 1", () => {
  const resources = {
    memory: { limit: 1000n, reservation: 500n },
    cpu: { shares: 512n, quota: 50_000n, cpus: "0" },
    pids: { limit: -1n },
  };
  const writes = limitsV1(resources).flatMap(({ limits }) => limits);
  const found = propertiesOf(writes, { unified: false, version: 252 });
  expect(Object.fromEntries(found.map(({ name, value }) => [name, plain(value)]))).toEqual({
    MemoryLimit: 1000n,
    CPUShares: 512n,
    TasksMax: infinity,
    CPUQuotaPeriodUSec: 100_000n,
    CPUQuotaPerSecUSec: 500_000n,
  });
});

test("no limit is infinity", () => {
  expect(v2({ "memory.max": "max", "pids.max": "max", "cpu.max": "max 100000" })).toEqual({
    MemoryMax: infinity,
    TasksMax: infinity,
    CPUQuotaPeriodUSec: 100_000n,
    CPUQuotaPerSecUSec: infinity,
  });
});

test("a quota is rounded up to whole percents of a processor", () => {
  expect(v2({ "cpu.max": "33333 100000" }, 240)).toEqual({ CPUQuotaPerSecUSec: 340_000n });
  expect(v2({ "cpu.max": "200000 100000" }, 240)).toEqual({ CPUQuotaPerSecUSec: 2_000_000n });
});

test("an idle cgroup is one with the weight 0, whatever weight it would have", () => {
  expect(v2({ "cpu.weight": "50", "cpu.idle": "1" })).toEqual({ CPUWeight: 0n });
  expect(v2({ "cpu.weight": "50", "cpu.idle": "0" })).toEqual({ CPUWeight: 50n });
  expect(v2({ "cpu.weight": "50", "cpu.idle": "1" }, 251)).toEqual({ CPUWeight: 50n });
});

test("properties of later systemds are left out, and files that it has none for", () => {
  expect(v2({ "cpuset.cpus": "0", "memory.zswap.max": "5" }, 243)).toEqual({});
  expect(v2({ "memory.zswap.max": "5" }, 253)).toEqual({ MemoryZSwapMax: 5n });
  expect(v2({ "hugetlb.2MB.max": "5", "pids.max": "0", constructor: "1", "memory.high": "many" })).toEqual(
    {},
  );
});

test("weights of input and output", () => {
  expect(v2({ "io.weight": "default 200" })).toEqual({ IOWeight: 200n });
  expect(v2({ "io.weight": "8:16 300" })).toEqual({ IODeviceWeight: [["/dev/block/8:16", 300n]] });
  expect(v2({ "io.bfq.weight": "1000" })).toEqual({ IOWeight: 10_000n });
  expect([1n, 100n, 550n, 1000n].map(ioWeightOf)).toEqual([1n, 100n, 5050n, 10_000n]);
});

test("lists of processors as bits", () => {
  expect(bitsOf("0-7,15")).toEqual([255, 128]);
  expect(bitsOf(" 3 ")).toEqual([8]);
  for (const wrong of ["", "a", "3-1", "1,,2", "0-99999999"]) expect(bitsOf(wrong)).toBe(undefined);
});
