// What a process is: ids, rights, limits.
import type { HintRow } from "./hint.ts";

export const processHints: readonly HintRow[] = [
  // user_namespaces(7), "Defining user and group ID mappings".
  {
    calls: ["write", "openat"],
    errno: "EPERM",
    when: /[ug]id_map/,
    cause: "without privileges a user may map only the own id, and only once",
    cure: "install newuidmap and newgidmap (Debian: uidmap) and give the user a range in /etc/subuid and /etc/subgid",
  },
  {
    calls: ["write"],
    errno: "EINVAL",
    when: /[ug]id_map/,
    cause: "the ranges overlap, are empty, or are more than 340",
    cure: "correct linux.uidMappings and linux.gidMappings",
  },
  // kernel/time/namespace.c, proc_timens_set_offset.
  {
    calls: ["write"],
    errno: "ERANGE",
    when: /timeOffsets/,
    cause:
      "with this offset a clock of the container would show less than 0, or more than the kernel can count",
    cure: "an offset that goes back must be smaller than the time since the machine was started",
  },
  {
    calls: ["setresuid", "setresgid", "fchown", "fchownat"],
    errno: "EINVAL",
    cause: "the id is not mapped in the container's user namespace",
    cure: "add it to linux.uidMappings and linux.gidMappings, or use another",
  },
  {
    calls: ["setgroups"],
    errno: "EPERM",
    cause: "without newgidmap a user namespace may not change groups",
    cure: "leave process.user.additionalGids out, or install newgidmap (Debian: uidmap) and edit /etc/subgid",
  },
  // sched_setattr(2), sched(7), "Privileges and resource limits"; __sched_setscheduler() in kernel/sched/syscalls.c.
  {
    calls: ["sched_setattr"],
    errno: "EPERM",
    cause:
      "the policy takes CAP_SYS_NICE of the machine, or a real-time budget of the cgroup, and SCHED_DEADLINE every CPU",
    cure: "run as root with CAP_SYS_NICE (an outer container: --cap-add SYS_NICE), set linux.resources.cpu.realtimeRuntime (cgroups of version 1), or ask for SCHED_OTHER, SCHED_BATCH or SCHED_IDLE without a negative nice",
  },
  {
    calls: ["sched_setattr"],
    errno: "EBUSY",
    cause: "the CPUs have not so much time left for SCHED_DEADLINE",
    cure: "ask for less runtime in a longer period",
  },
  {
    calls: ["sched_setattr"],
    errno: "EINVAL",
    cause: "the kernel does not take these values together",
    cure: "see sched_setattr(2) for what goes with process.scheduler.policy and its flags",
  },
  {
    calls: ["sched_setattr"],
    errno: "EOPNOTSUPP",
    cause: "the kernel was built without clamps of utilization",
    cure: "leave SCHED_FLAG_UTIL_CLAMP_MIN and SCHED_FLAG_UTIL_CLAMP_MAX out of process.scheduler.flags",
  },
  {
    calls: ["ioprio_set"],
    errno: "EPERM",
    cause: "the class takes CAP_SYS_NICE of the machine",
    cure: "run as root, or ask for IOPRIO_CLASS_BE or IOPRIO_CLASS_IDLE",
  },
  {
    calls: ["sched_setaffinity"],
    errno: "EINVAL",
    cause: "none of these CPUs is one that the process may use",
    cure: "see Cpus_allowed_list in /proc/self/status, and cpuset.cpus of the container's cgroup",
  },
  // set_mempolicy(2).
  {
    calls: ["set_mempolicy"],
    errno: "EINVAL",
    cause:
      "the machine has none of these nodes, the cgroup allows none, or the kernel is older than the mode",
    cure: "see /sys/devices/system/node/has_memory and cpuset.mems of the cgroup",
  },
  {
    calls: ["set_mempolicy"],
    errno: "ENOSYS",
    cause: "the kernel was built without NUMA",
    cure: "leave linux.memoryPolicy out",
  },
  {
    calls: ["personality"],
    errno: "EINVAL",
    cause: "the processor cannot run 32-bit programs",
    cure: "leave linux.personality out",
  },
  // aa_change_profile() in security/apparmor/domain.c.
  {
    calls: ["write"],
    errno: "ENOENT",
    when: /^process\.apparmorProfile/,
    cause: "no such profile is loaded",
    cure: "load it with apparmor_parser -r FILE, or name one that aa-status lists",
  },
  {
    calls: ["write"],
    errno: "EACCES",
    when: /^process\.apparmorProfile/,
    cause: "the profile around bunc does not let it change to this one",
    cure: "add a rule change_profile to it, or run bunc unconfined",
  },
  {
    calls: ["write"],
    errno: "EINVAL",
    when: /^process\.apparmorProfile/,
    cause: "this is no name of a profile, or another security module is in charge of processes",
    cure: "correct process.apparmorProfile, or leave it out",
  },
  // selinux_lsm_setattr() in security/selinux/hooks.c.
  {
    calls: ["write"],
    errno: "EINVAL",
    when: /^process\.selinuxLabel/,
    cause: "the SELinux policy of this machine does not know the label",
    cure: "correct process.selinuxLabel, or install the policy that has it (container-selinux)",
  },
  {
    calls: ["write"],
    errno: "EACCES",
    when: /^process\.selinuxLabel/,
    cause: "the SELinux policy does not let bunc's own domain choose labels",
    cure: "label the executable container_runtime_exec_t, and look for the denial: ausearch -m avc",
  },
  {
    calls: ["prctl"],
    errno: "EPERM",
    when: /PR_CAPBSET_DROP/,
    cause: "taking capabilities out of the bounding set takes CAP_SETPCAP, which is not bunc's own",
    cure: "give it to whoever runs bunc (an outer container: --cap-add SETPCAP), or add a user namespace to linux.namespaces",
  },
  {
    calls: ["mknodat"],
    errno: "EPERM",
    cause: "a user namespace may not make device nodes",
    cure: "bind-mount the device from the machine",
  },
  {
    calls: ["prlimit64"],
    errno: "EPERM",
    cause: "raising a hard limit takes CAP_SYS_RESOURCE",
    cure: "lower process.rlimits to the caller's own limits, or run as root",
  },
  {
    calls: ["prlimit64"],
    errno: "EINVAL",
    cause: "the soft limit is above the hard one",
    cure: "correct process.rlimits",
  },
  {
    calls: ["sethostname", "setdomainname"],
    errno: "EPERM",
    cause: "the name belongs to a UTS namespace that is not the container's",
    cure: "add a uts namespace to linux.namespaces",
  },
  {
    calls: ["seccomp"],
    errno: "EACCES",
    cause: "a filter takes CAP_SYS_ADMIN or no_new_privs",
    cure: "set process.noNewPrivileges",
  },
  // seccomp(2), SECCOMP_FILTER_FLAG_NEW_LISTENER: one in all the filters of a process.
  {
    calls: ["seccomp"],
    errno: "EBUSY",
    cause: "a filter around bunc has its calls answered already, and a process can have one that answers",
    cure: "leave SCMP_ACT_NOTIFY out of the profile, and use --root-emulation=seccomp",
  },
  {
    calls: ["seccomp"],
    errno: "EINVAL",
    when: /WAIT_KILLABLE_RECV/,
    cause: "the kernel is older than 5.19",
    cure: "leave the flag out of linux.seccomp.flags, and use --root-emulation=seccomp",
  },
  {
    calls: ["seccomp"],
    errno: "EINVAL",
    cause: "the kernel does not know a flag or an action of the profile, or the filter is too long",
    cure: "look at linux.seccomp.flags, or shorten the profile",
  },
  {
    calls: ["keyctl"],
    errno: "EDQUOT",
    cause: "the user has too many keyrings",
    cure: "raise sysctl kernel.keys.maxkeys, or pass --no-new-keyring",
  },
  // connect(2) to --console-socket.
  {
    calls: ["connect"],
    errno: "ECONNREFUSED",
    cause: "nobody listens on the socket any more",
    cure: "start its receiver first",
  },
];
