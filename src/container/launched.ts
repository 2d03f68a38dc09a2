// What a launch takes, and what it makes.
import type { Descriptor } from "../../ffi/file.ts";
import type { CgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import type { IntelRdtRecord } from "../linux/intel-rdt/groups.ts";
import type { HandOver } from "../linux/seccomp/listen.ts";
import type { StateRecord } from "../state/record.ts";
import type { CompiledFilters } from "./confinement.ts";
import type { Gate } from "./inherited.ts";
import type { Logger } from "./options.ts";

/** A container's record without what only its processes have. */
export type RecordDraft = Omit<
  StateRecord,
  "brief" | "pid" | "processStartTime" | "cgroup" | "intelRdt" | "listener" | "hooks"
>;

/** What a launch needs from outside; the descriptors stay the caller's. */
export interface LaunchOptions {
  readonly gate: Gate;
  /** A connected socket that the terminal's master is sent over; -1 without a terminal. */
  readonly console: number;
  /** Compiles the filters, when the container's processes are on their way. Throws SpecError. */
  readonly filters: () => CompiledFilters;
  /** config.json as it was read. */
  readonly config: Uint8Array;
  /** Makes what is known of the container's record beforehand, when its processes are on their way. */
  readonly draft: () => RecordDraft;
  /** Runs the hooks that come before the switch of root; undefined when there are none, and init waits for none. */
  readonly hooks: ((init: number, cgroup: CgroupRecord | null) => void) | undefined;
  readonly log: Logger;
  /** The container's state directory: keeps config.json, and the image, for explaining the failure of a later step. */
  readonly directory: Descriptor;
  /** What the listener of a filter is handed over by; null when no filter has one. */
  readonly handOver: HandOver | null;
}

/** A container that waits at its gate. */
export interface Launched {
  readonly pid: number;
  readonly draft: RecordDraft;
  /** The talk with init; with a "socket" gate it goes on. */
  readonly sync: Descriptor;
  readonly image: Uint8Array;
  /** null without a cgroup. */
  readonly cgroup: CgroupRecord | null;
  /** null without a class of service of its choice. */
  readonly intelRdt: IntelRdtRecord | null;
  /** Undoes the launch: ends the processes and removes the cgroup. */
  abandon(): void;
}
