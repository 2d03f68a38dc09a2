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

test("block devices: BFQ's files, or those that other kernels have", () => {
  const device = { major: 8, minor: 16 };
  const blockIO = {
    weight: 100,
    leafWeight: 200,
    weightDevice: [{ ...device, weight: 300, leafWeight: 400 }],
    throttleReadBpsDevice: [{ ...device, rate: 5n }],
    throttleWriteBpsDevice: [{ ...device, rate: 6n }],
    throttleReadIOPSDevice: [{ ...device, rate: 7n }],
    throttleWriteIOPSDevice: [{ ...device, rate: 0n }],
  };
  expect(files({ blockIO })).toEqual([
    "blkio.bfq.weight=100",
    "blkio.leaf_weight=200",
    "blkio.bfq.weight_device=8:16 300",
    "blkio.leaf_weight_device=8:16 400",
    "blkio.throttle.read_bps_device=8:16 5",
    "blkio.throttle.write_bps_device=8:16 6",
    "blkio.throttle.read_iops_device=8:16 7",
    "blkio.throttle.write_iops_device=8:16 0",
  ]);
  const [io] = limitsV1({ blockIO });
  expect(io?.controller).toBe("blkio");
  expect(io?.limits[0]?.otherwise).toEqual({ file: "blkio.weight", value: "100" });
  expect(io?.limits[2]?.otherwise).toEqual({ file: "blkio.weight_device", value: "8:16 300" });
  expect(io?.limits[2]?.property).toBe("linux.resources.blockIO.weightDevice[0].weight");
  expect(files({ blockIO: { weight: 0, weightDevice: [] } })).toEqual([]);
});

test("huge pages: what is used, and what is reserved where the kernel counts that", () => {
  expect(files({ hugepageLimits: [{ pageSize: "2MB", limit: 0n }] })).toEqual([
    "hugetlb.2MB.limit_in_bytes=0",
    "hugetlb.2MB.rsvd.limit_in_bytes=0?",
  ]);
  for (const pageSize of ["2M", "2mb", "../2MB", "02MB", ""]) {
    expect(() => files({ hugepageLimits: [{ pageSize, limit: 0n }] })).toThrow(
      /^linux\.resources\.hugepageLimits\[0\]\.pageSize/,
    );
  }
  const twice = { pageSize: "2MB", limit: 0n };
  expect(() => files({ hugepageLimits: [twice, twice] })).toThrow(
    "linux.resources.hugepageLimits[1].pageSize is 2MB for the second time",
  );
});

test("network: each controller by itself; a class of 0 is one", () => {
  const found = limitsV1({ network: { classID: 0, priorities: [{ name: "lo", priority: 5 }] } });
  expect(found.map(({ controller, limits }) => [controller, limits[0]?.file, limits[0]?.value])).toEqual([
    ["net_cls", "net_cls.classid", "0"],
    ["net_prio", "net_prio.ifpriomap", "lo 5"],
  ]);
  expect(() => files({ network: { priorities: [{ name: "a b", priority: 1 }] } })).toThrow(
    /names no network/,
  );
});

test("rdma: only what is given", () => {
  expect(files({ rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10 }, rxe3: { hcaObjects: 0 } } })).toEqual([
    "rdma.max=mlx5_1 hca_handle=3 hca_object=10",
    "rdma.max=rxe3 hca_object=0",
  ]);
  expect(() => files({ rdma: { mlx5_1: {} } })).toThrow(/^linux\.resources\.rdma\.mlx5_1 has neither/);
  expect(() => files({ rdma: { "a hca_handle=1": { hcaHandles: 3 } } })).toThrow(/names no RDMA device/);
});

test("memory: kernel memory is read back, and what kernels always do is dispensable", () => {
  const [memory] = limitsV1({
    memory: { kernel: 5n, kernelTCP: -1n, useHierarchy: true, checkBeforeUpdate: true },
  });
  expect(
    memory?.limits.map(({ file, value, verified, dispensable }) => [file, value, verified, dispensable]),
  ).toEqual([
    ["memory.use_hierarchy", "1", false, true],
    ["memory.kmem.limit_in_bytes", "5", true, false],
    ["memory.kmem.tcp.limit_in_bytes", "-1", false, false],
  ]);
  expect(files({ memory: { kernel: 0n, useHierarchy: false } })).toEqual([]);
});
