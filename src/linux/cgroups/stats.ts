import type { CgroupRecord } from "./cgroup-record.ts";

/** A count of the kernel's: as wide as it is there. */
export type Count = bigint;

/**
 * What a container's cgroups have counted, in the terms of the event that runc prints: the names and the order are its
 * JSON's, types/events.go. A property that it leaves out when it is 0 or empty is optional here, and absent then.
 */
export interface CgroupStats {
  readonly cpu: CpuStats;
  readonly cpuset: CpusetStats;
  readonly memory: MemoryStats;
  readonly pids: { readonly current?: Count; readonly limit?: Count };
  readonly blkio: BlockIoStats;
  /** By page size, such as "2MB". */
  readonly hugetlb: Readonly<Record<string, HugetlbStats>>;
}

export interface CpuStats {
  /** Nanoseconds. */
  readonly usage: {
    readonly total?: Count;
    readonly percpu?: readonly Count[];
    readonly percpu_kernel?: readonly Count[];
    readonly percpu_user?: readonly Count[];
    readonly kernel: Count;
    readonly user: Count;
  };
  readonly throttling: {
    readonly periods?: Count;
    readonly throttledPeriods?: Count;
    /** Nanoseconds. */
    readonly throttledTime?: Count;
  };
  readonly psi?: Pressure;
}

export interface CpusetStats {
  readonly cpus?: readonly number[];
  readonly cpu_exclusive: Count;
  readonly mems?: readonly number[];
  readonly mem_hardwall: Count;
  readonly mem_exclusive: Count;
  readonly memory_migrate: Count;
  readonly memory_spread_page: Count;
  readonly memory_spread_slab: Count;
  readonly memory_pressure: Count;
  readonly sched_load_balance: Count;
  readonly sched_relax_domain_level: Count;
}

export interface MemoryStats {
  readonly cache?: Count;
  readonly usage: MemoryEntry;
  /** Memory and swap together. */
  readonly swap: MemoryEntry;
  readonly kernel: MemoryEntry;
  readonly kernelTCP: MemoryEntry;
  /** The lines of memory.stat. */
  readonly raw?: Readonly<Record<string, Count>>;
  readonly psi?: Pressure;
}

/** Bytes. */
export interface MemoryEntry {
  readonly limit: Count;
  readonly usage?: Count;
  readonly max?: Count;
  readonly failcnt: Count;
}

export interface BlockIoStats {
  readonly ioServiceBytesRecursive?: readonly BlockIoEntry[];
  readonly ioServicedRecursive?: readonly BlockIoEntry[];
  readonly ioQueueRecursive?: readonly BlockIoEntry[];
  readonly ioServiceTimeRecursive?: readonly BlockIoEntry[];
  readonly ioWaitTimeRecursive?: readonly BlockIoEntry[];
  readonly ioMergedRecursive?: readonly BlockIoEntry[];
  readonly ioTimeRecursive?: readonly BlockIoEntry[];
  readonly sectorsRecursive?: readonly BlockIoEntry[];
  readonly psi?: Pressure;
}

export interface BlockIoEntry {
  readonly major?: Count;
  readonly minor?: Count;
  readonly op?: string;
  readonly value?: Count;
}

export interface HugetlbStats {
  readonly usage?: Count;
  readonly max?: Count;
  readonly failcnt: Count;
}

/** Pressure stall information. Documentation/accounting/psi.rst. */
export interface Pressure {
  readonly some: PressureLine;
  readonly full: PressureLine;
}

export interface PressureLine {
  /** Hundredths of the time. */
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  /** Microseconds. */
  readonly total: Count;
}

/** Reads what a container's cgroups have counted. What this machine does not count is 0. Throws SyscallError. */
export function readStats(record: CgroupRecord): CgroupStats {
  if (record.kind === "v2") {
    const { readStatsV2 } = require("./v2/stats.ts") as typeof import("./v2/stats.ts");
    return readStatsV2(record.path);
  }
  const { readStatsV1 } = require("./v1/stats.ts") as typeof import("./v1/stats.ts");
  return readStatsV1(record);
}
