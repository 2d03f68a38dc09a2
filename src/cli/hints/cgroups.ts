// Cgroups. Values that a file of theirs does not take: Documentation/admin-guide/cgroup-v1/*.rst, cgroup-v2.rst,
// sched-bwc.rst.
import type { HintRow } from "./hint.ts";

export const cgroupHints: readonly HintRow[] = [
  {
    calls: ["write"],
    errno: "EBUSY",
    when: /memory\.(limit_in_bytes|memsw|max)/,
    cause: "what is in the cgroup uses more already, a waiting container some 2 MB",
    cure: "raise the limit",
  },
  {
    calls: ["write"],
    errno: "EINVAL",
    when: /memory\.(limit_in_bytes|memsw)/,
    cause: "the limit of memory and swap together is below that of memory",
    cure: "raise linux.resources.memory.swap",
  },
  {
    calls: ["write"],
    errno: "EINVAL",
    when: /cpu\.(cfs_burst_us|max\.burst)/,
    cause: "a burst is no more than the quota",
    cure: "lower linux.resources.cpu.burst, or raise the quota",
  },
  {
    calls: ["write"],
    errno: "EINVAL",
    when: /cpu\.(cfs_|max)/,
    cause:
      "a quota is 1000 or more, a period 1000 to 1000000, and their ratio no higher than that of the cgroup above",
    cure: "change linux.resources.cpu.quota and period",
  },
  {
    calls: ["write"],
    errno: "EINVAL",
    when: /pids\.max/,
    cause: "the kernel has no more than 4194304 processes",
    cure: "lower linux.resources.pids.limit, or make it -1",
  },
  {
    calls: ["write"],
    errno: "EINVAL",
    when: /cpuset\./,
    cause: "this is no list of numbers such as 0-2,4, or one that the machine does not have",
    cure: "see cpuset.cpus and cpuset.mems of the cgroup above for what there is",
  },
  {
    calls: ["write"],
    errno: "ERANGE",
    when: /cpuset\./,
    cause: "the machine does not have all of these",
    cure: "see cpuset.cpus and cpuset.mems of the cgroup above for what there is",
  },
  {
    calls: ["write"],
    errno: "EACCES",
    when: /cpuset\./,
    cause: "the cgroup above does not have all of these",
    cure: "see its cpuset.cpus and cpuset.mems for what there is",
  },
  {
    calls: ["write"],
    errno: "EPERM",
    when: /devices\.(allow|deny)/,
    cause: "a cgroup can allow only what the one above it does, and only root may say so",
    cure: "leave the device out of linux.resources.devices, or choose another linux.cgroupsPath",
  },
  {
    calls: ["openat"],
    errno: "ENOENT",
    when: /could not be set/,
    cause: "the kernel is older than the property, or was built without it",
    cure: "leave the property out",
  },
  // cgroups(7).
  {
    calls: ["mkdirat", "openat", "write"],
    errno: "EACCES",
    when: /cgroup/,
    cause: "the cgroup is not this user's",
    cure: "have it delegated (systemd: Delegate=yes), or pass --cgroup-manager disabled",
  },
  {
    calls: ["mkdirat", "openat", "write"],
    errno: "EROFS",
    when: /cgroup/,
    cause: "the cgroup file system is mounted read-only around bunc",
    cure: "mount it writable, or pass --cgroup-manager disabled",
  },
  {
    calls: ["write"],
    errno: "EBUSY",
    when: /cgroup/,
    cause: "a cgroup has either processes or controllers for its children",
    cure: "choose a linux.cgroupsPath whose parent has no processes",
  },
  {
    calls: ["mkdirat"],
    errno: "EAGAIN",
    when: /cgroup/,
    cause: "a limit of cgroups is reached",
    cure: "raise cgroup.max.descendants of the parents",
  },
  {
    calls: ["bpf"],
    errno: "EPERM",
    cause: "a device filter takes CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN",
    cure: "run as root, or leave linux.resources.devices out",
  },
];
