import { ociVersion } from "../state/record.ts";

// What `spec` writes: a shell at a terminal in a read-only root file system, with the capabilities, mounts and hidden
// paths that people know from `runc spec`.

const capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

const sysfs = {
  destination: "/sys",
  type: "sysfs",
  source: "sysfs",
  options: ["nosuid", "noexec", "nodev", "ro"],
};

// Only the owner of the network namespace may mount sysfs; a rootless container shares the machine's network.
const boundSysfs = {
  destination: "/sys",
  type: "none",
  source: "/sys",
  options: ["rbind", "nosuid", "noexec", "nodev", "ro"],
};

function mounts(rootless: boolean): object[] {
  const ptsOptions = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
  return [
    { destination: "/proc", type: "proc", source: "proc" },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      // Group 5 is tty; a rootless container has only the group of its user.
      options: rootless ? ptsOptions : [...ptsOptions, "gid=5"],
    },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    },
    {
      destination: "/dev/mqueue",
      type: "mqueue",
      source: "mqueue",
      options: ["nosuid", "noexec", "nodev"],
    },
    rootless ? boundSysfs : sysfs,
    {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: ["nosuid", "noexec", "nodev", "relatime", "ro"],
    },
  ];
}

/** The ids of the user that a rootless container is for. */
export interface RootlessUser {
  readonly uid: number;
  readonly gid: number;
}

function isolation(rootless: RootlessUser | undefined, cgroupNamespace: boolean): object {
  const own = ["pid", "ipc", "uts", "mount", ...(cgroupNamespace ? ["cgroup"] : [])];
  if (!rootless) {
    return {
      resources: { devices: [{ allow: false, access: "rwm" }] },
      namespaces: [...own, "network"].map((type) => ({ type })),
    };
  }
  return {
    uidMappings: [{ containerID: 0, hostID: rootless.uid, size: 1 }],
    gidMappings: [{ containerID: 0, hostID: rootless.gid, size: 1 }],
    namespaces: [...own, "user"].map((type) => ({ type })),
  };
}

/**
 * A configuration to begin with.
 * @param rootless the user that will run it; undefined for root
 * @param cgroupNamespace whether the container gets a cgroup namespace: of use only with cgroup v2 alone
 */
export function defaultConfig(rootless: RootlessUser | undefined, cgroupNamespace: boolean): object {
  return {
    ociVersion,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ["sh"],
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
      cwd: "/",
      // No ambient ones: the kernel raises them only for those that are inheritable too, and those open a door to
      // programs with file capabilities (CVE-2022-29162).
      capabilities: {
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
      },
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "bunc",
    mounts: mounts(rootless !== undefined),
    linux: {
      ...isolation(rootless, cgroupNamespace),
      maskedPaths: [
        "/proc/acpi",
        "/proc/asound",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/sys/firmware",
        "/proc/scsi",
      ],
      readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
  };
}
