import type { PlannedCapabilities } from "../linux/capabilities/plan.ts";
import type { PlannedCgroup } from "../linux/cgroups/plan.ts";
import type { PlannedCredentials } from "../linux/credentials/plan.ts";
import type { PlannedDevices } from "../linux/devices/plan.ts";
import type { PlannedExecution } from "../linux/execution/plan.ts";
import type { PlannedHooks } from "../linux/hooks/plan.ts";
import type { PlannedNames } from "../linux/hostname/plan.ts";
import type { PlannedIdmap } from "../linux/idmap/plan.ts";
import type { PlannedIntelRdt } from "../linux/intel-rdt/plan.ts";
import type { PlannedMasks } from "../linux/masks/plan.ts";
import type { PlannedMount } from "../linux/mounts/plan.ts";
import type { PlannedNamespaces } from "../linux/namespaces/plan.ts";
import type { PlannedNetDevice } from "../linux/netdevices/plan.ts";
import type { PlannedRlimit, PlannedSetUpLimits } from "../linux/rlimits/plan.ts";
import type { PlannedRootEmulation, RootEmulationMode } from "../linux/root-emulation/plan.ts";
import type { PlannedRootfs } from "../linux/rootfs/plan.ts";
import type { PlannedAgent, PlannedSeccomp } from "../linux/seccomp/plan.ts";
import type { PlannedSysctl } from "../linux/sysctl/plan.ts";
import type { PlannedTerminal } from "../linux/terminal/plan.ts";
import type { PlannedSeldom } from "./seldom.ts";

/**
 * Everything that is to be done, decided: no property is optional here, and nobody looks at config.json again. Frozen;
 * made by resolve.ts, read by the rooms' record and apply functions and by src/container.
 */
export interface Plan {
  readonly id: string;
  /** Absolute path. */
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly namespaces: PlannedNamespaces;
  /** What is written to /proc/PID/timens_offsets; "" leaves the caller's clocks. */
  readonly timeOffsets: string;
  readonly idmap: PlannedIdmap;
  readonly netDevices: readonly PlannedNetDevice[];
  readonly rootfs: PlannedRootfs;
  readonly mounts: readonly PlannedMount[];
  readonly devices: PlannedDevices;
  readonly masks: PlannedMasks;
  readonly names: PlannedNames;
  readonly sysctl: readonly PlannedSysctl[];
  readonly terminal: PlannedTerminal;
  readonly cgroup: PlannedCgroup;
  /** null when config.json has no intelRdt. */
  readonly intelRdt: PlannedIntelRdt | null;
  readonly seccomp: PlannedSeccomp;
  /** Who answers the calls that linux.seccomp has notified; null for nobody. */
  readonly agent: PlannedAgent | null;
  readonly rootEmulation: PlannedRootEmulation;
  /** The filter of root emulation. */
  readonly emulation: PlannedSeccomp;
  readonly credentials: PlannedCredentials;
  readonly capabilities: PlannedCapabilities;
  readonly rlimits: readonly PlannedRlimit[];
  /** Of the first processes, while they mount. */
  readonly setUpLimits: PlannedSetUpLimits;
  /** Value for /proc/PID/oom_score_adj; undefined leaves the caller's. */
  readonly oomScoreAdj: number | undefined;
  readonly execution: PlannedExecution;
  /** null for nothing of it. */
  readonly seldom: PlannedSeldom | null;
  /** null without any. */
  readonly hooks: PlannedHooks | null;
  /** How many descriptors from 3 on the container keeps. */
  readonly preserveFds: number;
  /** The state directory has a directory for the socket on which the container says that it is ready. */
  readonly notify: boolean;
  /** What the user should know, though the container can be made. */
  readonly warnings: readonly string[];
}

/** What the caller chose on the command line, as far as it decides what is done. */
export interface PlanOptions {
  readonly id: string;
  readonly noPivot: boolean;
  readonly newKeyring: boolean;
  readonly keepGroups: boolean;
  /** How many descriptors from 3 on are sockets that activate the container. */
  readonly listenFds: number;
  /** How many descriptors the container keeps beside them. */
  readonly preserveFds: number;
  /** Absolute path of the directory for the container's NOTIFY_SOCKET; undefined when nobody wants to be notified. */
  readonly notifyDirectory: string | undefined;
  readonly cgroupManager: "cgroupfs" | "systemd" | "disabled";
  readonly rootless: boolean | "auto";
  /** undefined when the command line says nothing of it. */
  readonly rootEmulation: RootEmulationMode | undefined;
}

/** config.json and where it was found. */
export interface Bundle {
  /** Absolute path. */
  readonly path: string;
  readonly config: import("../spec/types.ts").Config;
}
