import type { CgroupLayout } from "../linux/cgroups/layout.ts";
import type { SystemdFacts } from "../linux/cgroups/systemd/facts.ts";

/** Security modules that label processes, and whether each is enabled. Not looked up, and so false, where nobody asks. */
export interface SecurityModules {
  readonly selinux: boolean;
  readonly apparmor: boolean;
}

/** What is known of the machine and of the caller: all that a plan depends on besides config.json and the options. */
export interface HostFacts {
  /** "x64" or "arm64". */
  readonly arch: "x64" | "arm64";
  readonly uid: number;
  readonly gid: number;
  /** Effective capabilities, bit N for capability N. */
  readonly effective: bigint;
  readonly bounding: bigint;
  /** Number of the last capability that the kernel knows. */
  readonly lastCapability: number;
  /** The caller is in a user namespace other than the initial one, so its root is not the machine's. */
  readonly inUserNamespace: boolean;
  /** The caller's user namespace owns its mounts, so that capabilities are good for them. */
  readonly ownsMounts: boolean;
  /** How many user ids the caller's user namespace maps. */
  readonly mappedIds: number;
  /** How many user ids the user namespace maps that is joined by its path; undefined where nobody can read that. */
  readonly joinedIds: number | undefined;
  /** The kernel has filters of system calls. */
  readonly seccompFilters: boolean;
  /** The image has apt; false where nobody needs to know. */
  readonly apt: boolean;
  readonly securityModules: SecurityModules;
  readonly setgroupsDenied: boolean;
  /** /proc/kcore exists. */
  readonly kcore: boolean;
  /** The limit of open files that the caller had when it called, when it is not the one that we pass on. */
  readonly callerFiles: "inherited" | { readonly soft: bigint; readonly hard: bigint };
  /** Our own limit of open files; undefined where the container has few mounts. */
  readonly openFiles: { readonly soft: bigint; readonly hard: bigint } | undefined;
  readonly cgroupLayout: CgroupLayout;
  /** Where resctrl is mounted; "" where it is not, or nobody needs to know. */
  readonly resctrl: string;
  readonly systemd: SystemdFacts;
  /** Which of the standard streams may be given to the container's user: pipes and the like, no shared devices. */
  readonly ownStreams: readonly number[];
  /** Permission bits of directories of the image, by the destination of the tmpfs that is mounted there. */
  readonly directoryModes: ReadonlyMap<string, number>;
  /** Where sources of bind mounts with copy-symlink lead that are symbolic links, by the source. */
  readonly links: ReadonlyMap<string, string>;
  /** Text of the container's /etc/passwd; "" when it was not needed or is not there. */
  readonly passwd: string;
}
