import { expect, test } from "bun:test";
import { weightOf } from "./cpu.ts";
import { ioWeightOf } from "./io.ts";
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

test("memory: usage is compared when that is asked for; accounting by hierarchy needs no asking", () => {
  const [memory] = limitsV2({ memory: { limit: 100n, checkBeforeUpdate: true, useHierarchy: true } });
  expect(memory?.limits.map(({ file, usage }) => [file, usage])).toEqual([
    ["memory.max", ["memory.current"]],
  ]);
  const [unchecked] = limitsV2({ memory: { limit: 100n } });
  expect(unchecked?.limits[0]?.usage).toEqual([]);
});

test("what version 2 has no form for is refused by name", () => {
  const refused: [string, Parameters<typeof limitsV2>[0]][] = [
    ["memory.kernel", { memory: { kernel: 5n } }],
    ["memory.kernelTCP", { memory: { kernelTCP: 5n } }],
    ["cpu.realtimeRuntime", { cpu: { realtimeRuntime: 5n } }],
    ["cpu.realtimePeriod", { cpu: { realtimePeriod: 5n } }],
    ["network.classID", { network: { classID: 5 } }],
    ["network.priorities", { network: { priorities: [{ name: "lo", priority: 5 }] } }],
    ["blockIO.leafWeight", { blockIO: { leafWeight: 10 } }],
    [
      "blockIO.weightDevice[0].leafWeight",
      { blockIO: { weightDevice: [{ major: 8, minor: 0, leafWeight: 10 }] } },
    ],
  ];
  for (const [property, resources] of refused) {
    expect(() => limitsV2(resources)).toThrow(
      `linux.resources.${property} has no counterpart in cgroup v2, which this machine has`,
    );
  }
  expect(
    files({ memory: { kernel: -1n, kernelTCP: 0n }, cpu: { realtimeRuntime: 0n }, network: {} }),
  ).toEqual([]);
});

test("block devices: BFQ's weights, or io.weight's; limits of io.max, where 0 is none", () => {
  const device = { major: 8, minor: 16 };
  const blockIO = {
    weight: 1000,
    weightDevice: [{ ...device, weight: 10 }],
    throttleReadBpsDevice: [{ ...device, rate: 5n }],
    throttleWriteBpsDevice: [{ ...device, rate: 0n }],
    throttleReadIOPSDevice: [{ ...device, rate: 7n }],
    throttleWriteIOPSDevice: [{ ...device, rate: 8n }],
  };
  expect(files({ blockIO })).toEqual([
    "io.bfq.weight=1000",
    "io.bfq.weight=8:16 10",
    "io.max=8:16 rbps=5",
    "io.max=8:16 wbps=max",
    "io.max=8:16 riops=7",
    "io.max=8:16 wiops=8",
  ]);
  const [io] = limitsV2({ blockIO });
  expect(io?.controller).toBe("io");
  expect(io?.limits.slice(0, 2).map(({ otherwise }) => otherwise)).toEqual([
    { file: "io.weight", value: "10000" },
    { file: "io.weight", value: "8:16 1" },
  ]);
});

test("io.weight: both ends of the old scale meet those of the new", () => {
  expect([1, 10, 100, 500, 1000].map(ioWeightOf)).toEqual([1, 1, 910, 4950, 10_000]);
});

test("huge pages and RDMA", () => {
  expect(
    files({ hugepageLimits: [{ pageSize: "1GB", limit: 9n }], rdma: { rxe0: { hcaHandles: 1 } } }),
  ).toEqual(["hugetlb.1GB.max=9", "hugetlb.1GB.rsvd.max=9?", "rdma.max=rxe0 hca_handle=1"]);
});
