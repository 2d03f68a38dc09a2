import { O } from "../../../../ffi/constants/file.ts";
import { listDirectory, openFile } from "../../../../ffi/file.ts";
import { given } from "../../given.ts";
import { type CgroupRecord, controllerPath } from "../cgroup-record.ts";
import { parseCount, parseList, readCount, readHugetlb, readIfThere, readTable } from "../read-counts.ts";
import type {
  BlockIoEntry,
  BlockIoStats,
  CgroupStats,
  CpuStats,
  CpusetStats,
  HugetlbStats,
  MemoryEntry,
  MemoryStats,
} from "../stats.ts";

/** cpuacct.stat counts in clock ticks, of which user space is always told that there are 100 a second. */
const nanosecondsPerTick = 10_000_000n;

/** Where no file is: without a controller every count is 0. */
const nowhere = "/dev/null";

/** The counts of every controller of version 1 that the container has a cgroup of. Throws SyscallError. */
export function readStatsV1(record: CgroupRecord): CgroupStats {
  const at = (controller: string) => controllerPath(record, controller) ?? nowhere;
  const pids = at("pids");
  const limit = readIfThere(`${pids}/pids.max`).trim();
  return {
    cpu: readCpu(at("cpuacct"), at("cpu")),
    cpuset: readCpuset(at("cpuset")),
    memory: readMemory(at("memory")),
    // No limit is 0 here.
    pids: given({
      current: readCount(`${pids}/pids.current`),
      limit: limit === "max" ? 0n : parseCount(limit),
    }),
    blkio: readBlockIo(at("blkio")),
    hugetlb: readHuge(controllerPath(record, "hugetlb")),
  };
}

function readCpu(cpuacct: string, cpu: string): CpuStats {
  const { user = 0n, system = 0n } = readTable(`${cpuacct}/cpuacct.stat`);
  const throttling = readTable(`${cpu}/cpu.stat`);
  const [, ...rows] = readIfThere(`${cpuacct}/cpuacct.usage_all`).trim().split("\n");
  const columns = rows.map((row) => row.split(" ").map(parseCount));
  return {
    usage: {
      ...given({
        total: readCount(`${cpuacct}/cpuacct.usage`),
        percpu: readIfThere(`${cpuacct}/cpuacct.usage_percpu`)
          .trim()
          .split(" ")
          .filter(Boolean)
          .map(parseCount),
        percpu_kernel: columns.map((column) => column[2] ?? 0n),
        percpu_user: columns.map((column) => column[1] ?? 0n),
      }),
      kernel: system * nanosecondsPerTick,
      user: user * nanosecondsPerTick,
    },
    throttling: given({
      periods: throttling.nr_periods,
      throttledPeriods: throttling.nr_throttled,
      throttledTime: throttling.throttled_time,
    }),
  };
}

function readCpuset(path: string): CpusetStats {
  const count = (name: string) => readCount(`${path}/cpuset.${name}`);
  const cpus = parseList(readIfThere(`${path}/cpuset.cpus`));
  const mems = parseList(readIfThere(`${path}/cpuset.mems`));
  return {
    ...given({ cpus }),
    cpu_exclusive: count("cpu_exclusive"),
    ...given({ mems }),
    mem_hardwall: count("mem_hardwall"),
    mem_exclusive: count("mem_exclusive"),
    memory_migrate: count("memory_migrate"),
    memory_spread_page: count("memory_spread_page"),
    memory_spread_slab: count("memory_spread_slab"),
    memory_pressure: count("memory_pressure"),
    sched_load_balance: count("sched_load_balance"),
    sched_relax_domain_level: count("sched_relax_domain_level"),
  };
}

function readMemory(path: string): MemoryStats {
  const raw = readTable(`${path}/memory.stat`);
  const entry = (name: string): MemoryEntry => ({
    limit: readCount(`${path}/memory.${name}limit_in_bytes`),
    ...given({
      usage: readCount(`${path}/memory.${name}usage_in_bytes`),
      max: readCount(`${path}/memory.${name}max_usage_in_bytes`),
    }),
    failcnt: readCount(`${path}/memory.${name}failcnt`),
  });
  return {
    ...given({ cache: raw.cache }),
    usage: entry(""),
    swap: entry("memsw."),
    kernel: entry("kmem."),
    kernelTCP: entry("kmem.tcp."),
    ...given({ raw }),
  };
}

/** Files of statistics, and where they are shown. */
type BlockIoFiles = readonly (readonly [file: string, shown: Exclude<keyof BlockIoStats, "psi">])[];

const few: BlockIoFiles = [
  ["io_serviced_recursive", "ioServicedRecursive"],
  ["io_service_bytes_recursive", "ioServiceBytesRecursive"],
];

const many: BlockIoFiles = [
  ["sectors_recursive", "sectorsRecursive"],
  ["io_service_time_recursive", "ioServiceTimeRecursive"],
  ["io_wait_time_recursive", "ioWaitTimeRecursive"],
  ["io_merged_recursive", "ioMergedRecursive"],
  ["io_queued_recursive", "ioQueueRecursive"],
  ["time_recursive", "ioTimeRecursive"],
  ...few,
];

// Which scheduler counts, and how much, depends on the kernel: the first that has something to tell is shown.
// Documentation/admin-guide/cgroup-v1/blkio-controller.rst; Documentation/block/bfq-iosched.rst, "BFQ group scheduling".
const sources: readonly (readonly [prefix: string, files: BlockIoFiles])[] = [
  ["blkio.bfq.", many],
  ["blkio.bfq.", few],
  ["blkio.", many],
  ["blkio.throttle.", few],
];

function readBlockIo(path: string): BlockIoStats {
  for (const [prefix, files] of sources) {
    const [first] = files;
    if (!first || parseBlockIo(readIfThere(`${path}/${prefix}${first[0]}`)).length === 0) continue;
    const shown = files.map(([file, name]) => [name, parseBlockIo(readIfThere(`${path}/${prefix}${file}`))]);
    return given(Object.fromEntries(shown) as BlockIoStats);
  }
  return {};
}

/** Lines of `8:0 Read 4096`, or `8:0 4096`; the sum after them is left out. */
export function parseBlockIo(text: string): BlockIoEntry[] {
  const entries: BlockIoEntry[] = [];
  for (const line of text.split("\n")) {
    const [major = "", minor = "", ...words] = line.split(/[ :]/);
    const value = words.at(-1);
    if (value === undefined || major === "Total") continue;
    const op = words.length > 1 ? words[0] : "";
    entries.push(given({ major: parseCount(major), minor: parseCount(minor), op, value: parseCount(value) }));
  }
  return entries;
}

function readHuge(path: string | undefined): Record<string, HugetlbStats> {
  if (path === undefined) return {};
  using directory = openFile(path, O.RDONLY | O.DIRECTORY);
  const names = listDirectory(directory.fd).map(({ name }) => name);
  return readHugetlb(names, ".usage_in_bytes", (size) => ({
    ...given({
      usage: readCount(`${path}/hugetlb.${size}.usage_in_bytes`),
      max: readCount(`${path}/hugetlb.${size}.max_usage_in_bytes`),
    }),
    failcnt: readCount(`${path}/hugetlb.${size}.failcnt`),
  }));
}
