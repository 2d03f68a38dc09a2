import { O } from "../../../../ffi/constants/file.ts";
import { listDirectory, openFile } from "../../../../ffi/file.ts";
import { given } from "../../given.ts";
import { parseCount, readCount, readHugetlb, readIfThere, readTable, unlimited } from "../read-counts.ts";
import type {
  BlockIoEntry,
  BlockIoStats,
  CgroupStats,
  CpuStats,
  HugetlbStats,
  MemoryStats,
  Pressure,
  PressureLine,
} from "../stats.ts";

/** The counts of a cgroup of version 2. Throws SyscallError. */
export function readStatsV2(path: string): CgroupStats {
  const limit = readCount(`${path}/pids.max`);
  return {
    cpu: readCpu(path),
    cpuset: noCpuset,
    memory: readMemory(path),
    pids: given({ current: readCount(`${path}/pids.current`), limit: limit === unlimited ? 0n : limit }),
    blkio: readBlockIo(path),
    hugetlb: readHuge(path),
  };
}

/** Version 2 has none of these switches; what its cpusets are is no count. */
const noCpuset = {
  cpu_exclusive: 0n,
  mem_hardwall: 0n,
  mem_exclusive: 0n,
  memory_migrate: 0n,
  memory_spread_page: 0n,
  memory_spread_slab: 0n,
  memory_pressure: 0n,
  sched_load_balance: 0n,
  sched_relax_domain_level: 0n,
};

function readCpu(path: string): CpuStats {
  const stat = readTable(`${path}/cpu.stat`);
  const nanoseconds = (name: string) => (stat[name] ?? 0n) * 1000n;
  return {
    usage: {
      ...given({ total: nanoseconds("usage_usec") }),
      kernel: nanoseconds("system_usec"),
      user: nanoseconds("user_usec"),
    },
    throttling: given({
      periods: stat.nr_periods,
      throttledPeriods: stat.nr_throttled,
      throttledTime: nanoseconds("throttled_usec"),
    }),
    ...given({ psi: readPressure(`${path}/cpu.pressure`) }),
  };
}

/** Swap is counted alone, and shown with memory, as version 1 does. */
function readMemory(path: string): MemoryStats {
  const raw = readTable(`${path}/memory.stat`);
  const usage = readCount(`${path}/memory.current`);
  const limit = readCount(`${path}/memory.max`);
  const swapLimit = readCount(`${path}/memory.swap.max`);
  return {
    ...given({ cache: raw.file }),
    usage: { limit, ...given({ usage, max: readCount(`${path}/memory.peak`) }), failcnt: 0n },
    swap: {
      limit: swapLimit === unlimited || limit === unlimited ? swapLimit : swapLimit + limit,
      ...given({ usage: usage + readCount(`${path}/memory.swap.current`) }),
      failcnt: 0n,
    },
    kernel: { limit: 0n, failcnt: 0n },
    kernelTCP: { limit: 0n, failcnt: 0n },
    ...given({ raw, psi: readPressure(`${path}/memory.pressure`) }),
  };
}

/** What io.stat counts, and under which name it is shown. */
const operations = {
  rbytes: ["ioServiceBytesRecursive", "Read"],
  wbytes: ["ioServiceBytesRecursive", "Write"],
  dbytes: ["ioServiceBytesRecursive", "Discard"],
  rios: ["ioServicedRecursive", "Read"],
  wios: ["ioServicedRecursive", "Write"],
  dios: ["ioServicedRecursive", "Discard"],
} as const;

function readBlockIo(path: string): BlockIoStats {
  const stats = parseIoStat(readIfThere(`${path}/io.stat`));
  return { ...stats, ...given({ psi: readPressure(`${path}/io.pressure`) }) };
}

/** Lines of `8:0 rbytes=1 wbytes=2 …`. */
export function parseIoStat(text: string): BlockIoStats {
  const found = {
    ioServiceBytesRecursive: [] as BlockIoEntry[],
    ioServicedRecursive: [] as BlockIoEntry[],
  };
  for (const line of text.split("\n")) {
    const [device = "", ...words] = line.split(" ");
    const [major = "", minor = ""] = device.split(":");
    for (const word of words) {
      const [key = "", value = ""] = word.split("=");
      if (!Object.hasOwn(operations, key)) continue;
      const [shown, op] = operations[key as keyof typeof operations];
      found[shown].push(
        given({ major: parseCount(major), minor: parseCount(minor), op, value: parseCount(value) }),
      );
    }
  }
  return given(found);
}

function readPressure(path: string): Pressure | undefined {
  // Where psi=0 is on the kernel's command line, the file is there, and reading it EOPNOTSUPP.
  return parsePressure(readIfThere(path));
}

/** Lines of `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`. */
export function parsePressure(text: string): Pressure | undefined {
  if (text === "") return undefined;
  const lines = text.split("\n");
  return { some: parsePressureLine(lines, "some"), full: parsePressureLine(lines, "full") };
}

function parsePressureLine(lines: readonly string[], kind: string): PressureLine {
  const line = lines.find((each) => each.startsWith(kind)) ?? "";
  const value = (name: string) => new RegExp(` ${name}=(\\S+)`).exec(line)?.[1] ?? "0";
  return {
    avg10: Number(value("avg10")),
    avg60: Number(value("avg60")),
    avg300: Number(value("avg300")),
    total: parseCount(value("total")),
  };
}

function readHuge(path: string): Record<string, HugetlbStats> {
  using directory = openFile(path, O.RDONLY | O.DIRECTORY);
  const names = listDirectory(directory.fd).map(({ name }) => name);
  return readHugetlb(names, ".current", (size) => ({
    ...given({ usage: readCount(`${path}/hugetlb.${size}.current`) }),
    failcnt: readTable(`${path}/hugetlb.${size}.events`).max ?? 0n,
  }));
}
