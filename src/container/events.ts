import { writeAll } from "../../ffi/file.ts";
import { attempt } from "../../ffi/libc.ts";
import { timespec } from "../../ffi/structs/timespec.ts";
import { readOr } from "../host/read.ts";
import { type CgroupRecord, readCgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { type OomWatch, watchOom } from "../linux/cgroups/oom.ts";
import { type CgroupStats, readStats } from "../linux/cgroups/stats.ts";
import { now } from "../linux/cgroups/wait.ts";
import type { IntelRdtRecord } from "../linux/intel-rdt/groups.ts";
import { findResctrl } from "../linux/intel-rdt/mountpoint.ts";
import type { IntelRdtStats } from "../linux/intel-rdt/stats.ts";
import { formatJson } from "../spec/format-json.ts";
import { StateError } from "../state/error.ts";
import { load } from "../state/store.ts";
import { openInit } from "./init.ts";
import type { ContainerOptions } from "./options.ts";
import { statusOf } from "./state.ts";

export interface EventsOptions extends ContainerOptions {
  /** Milliseconds between statistics. */
  readonly interval: number;
  /** Print the statistics once, and nothing else. */
  readonly statsOnly: boolean;
}

/** A line of `events`, in runc's form. */
export interface ContainerEvent {
  readonly type: "stats" | "oom";
  readonly id: string;
  readonly data?: CgroupStats & {
    /** Empty for a container without a class of service. */
    readonly intel_rdt: IntelRdtStats;
    /** Those that a runtime has made: bunc makes none. */
    readonly network_interfaces: null;
  };
}

/** One line of JSON. Counts of 64 bits are written whole. */
export function formatEvent(event: ContainerEvent): string {
  return `${formatJson(event)}\n`;
}

/**
 * `events`: prints what a container uses, every so often, and each time that the kernel has killed one of its processes
 * for lack of memory, until the container has ended.
 * Throws StateError "missing"; "conflict" when it is stopped, or has no cgroup, which counts. SyscallError.
 */
export function showEvents(options: EventsOptions): void {
  const { root, id } = options;
  const record = load(root, id);
  if (statusOf(root, record) === "stopped") {
    throw new StateError("conflict", `container with id ${id} is not running`);
  }
  const cgroup = readCgroupRecord(record.cgroup);
  if (!cgroup) {
    throw new StateError(
      "conflict",
      `nothing counts what container "${id}" uses: it has no cgroup of its own`,
    );
  }
  const counted = { id, cgroup, intelRdt: record.intelRdt };
  if (options.statsOnly) {
    showStats(counted);
    return;
  }
  using init = openInit(record);
  using oom = watchOom(cgroup);
  if (!oom) options.log.warn(`nobody tells when memory lacks: the cgroup has no controller of memory`);
  if (init) follow(options, counted, init.fd, oom);
}

/** What is counted of a container. */
interface Counted {
  readonly id: string;
  readonly cgroup: CgroupRecord;
  /** An IntelRdtRecord, or null. */
  readonly intelRdt: unknown;
}

function showStats({ id, cgroup, intelRdt }: Counted): void {
  const data = {
    ...readStats(cgroup),
    intel_rdt: intelRdt ? readClass(intelRdt) : {},
    network_interfaces: null,
  };
  writeAll(1, formatEvent({ type: "stats", id, data }));
}

function readClass(record: unknown): IntelRdtStats {
  const { readIntelRdtStats } =
    require("../linux/intel-rdt/stats.ts") as typeof import("../linux/intel-rdt/stats.ts");
  const mountpoint = findResctrl(readOr("/proc/self/mountinfo", ""));
  return readIntelRdtStats(record as IntelRdtRecord, mountpoint);
}

function follow(
  { id, interval }: EventsOptions,
  counted: Counted,
  init: number,
  oom: OomWatch | undefined,
): void {
  let next = now() + interval;
  for (let ended = false; !ended; ) {
    ended = waitForEither(init, oom, next - now());
    // What ended the container has been told of before.
    for (let count = oom?.take() ?? 0; count > 0; count--) writeAll(1, formatEvent({ type: "oom", id }));
    if (ended || now() < next) continue;
    showStats(counted);
    next += interval;
  }
}

/** Waits until init has ended, memory lacks, or so many milliseconds are over. Returns whether init has ended. */
function waitForEither(init: number, oom: OomWatch | undefined, milliseconds: number): boolean {
  // struct pollfd { int fd; short events; short revents; }
  const poll = new Uint8Array(16);
  const view = new DataView(poll.buffer);
  view.setInt32(0, init, true);
  view.setInt16(4, 1, true);
  view.setInt32(8, oom?.fd ?? -1, true);
  view.setInt16(12, oom?.event ?? 0, true);
  const rest = Math.max(0, milliseconds);
  const timeout = timespec(Math.floor(rest / 1000), Math.floor((rest % 1000) * 1_000_000));
  attempt.ppoll(poll, 2, timeout, null, 0);
  return view.getInt16(6, true) !== 0;
}
