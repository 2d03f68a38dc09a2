import { ERRNO, type ErrnoName } from "../../ffi/constants/errno.ts";

/** What usually makes a call fail so, and what to do about it. */
export interface Hint {
  readonly cause: string;
  readonly cure: string;
}

interface Row extends Hint {
  /** Names of calls, one of which failed. */
  readonly calls: readonly string[];
  readonly errno: ErrnoName;
  /** Further condition, on the error's whole text: the path, the property, the flags. */
  readonly when?: RegExp;
}

// The first row that fits is used, so a row with a condition stands before one without.
// podman sorts errors by words: "permission denied" and "operation not permitted" become status 126, "no such file or
// directory", "executable file not found in" and "open executable" 127. No hint may hold these.
export const hints: readonly Row[] = [
  // The flags of the call are in the text: without a user namespace of its own, the container needs a privileged caller.
  {
    calls: ["clone3"],
    errno: "EPERM",
    when: /^(?!.*CLONE_NEWUSER)/s,
    cause: "config.json asks for no user namespace, so only root can make the others",
    cure: "run as root, or add a user namespace that maps your own id (bunc spec --rootless writes such a config.json)",
  },
  // clone(2), user_namespaces(7); kernel.unprivileged_userns_clone is Debian's, apparmor_restrict… Ubuntu's.
  {
    calls: ["clone3", "unshare"],
    errno: "EPERM",
    cause: "the system does not let this user make namespaces",
    cure: "run as root, or allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 (Debian) or kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), no seccomp profile around bunc, no chroot",
  },
  {
    calls: ["clone3", "unshare"],
    errno: "ENOSPC",
    cause: "the limit of namespaces is reached, or they are nested too deeply",
    cure: "raise sysctl user.max_user_namespaces and its siblings",
  },
  {
    calls: ["clone3", "unshare"],
    errno: "EUSERS",
    cause: "user namespaces are nested too deeply",
    cure: "run bunc in fewer user namespaces",
  },
  {
    calls: ["clone3", "unshare", "setns"],
    errno: "EINVAL",
    cause: "the kernel lacks a kind of namespace that is asked for",
    cure: "see /proc/self/ns for the kinds that it has",
  },
  {
    calls: ["clone3", "clone", "vfork", "posix_spawn"],
    errno: "EAGAIN",
    cause: "a limit of processes is reached",
    cure: "raise ulimit -u or the pids limit of the cgroup that bunc runs in",
  },
  // mount_too_revealing() in fs/namespace.c: proc and sysfs may show no more than the caller's own do.
  {
    calls: ["fsmount", "fsconfig", "mount", "move_mount"],
    errno: "EPERM",
    when: /"proc"|of proc\b|\/proc\b/,
    cause: "the /proc around bunc has parts covered, and a user namespace may not uncover them",
    cure: "run the outer container with --security-opt unmask=ALL (podman) or systempaths=unconfined (docker), or leave the pid namespace out of linux.namespaces, and bunc binds the /proc around it",
  },
  {
    calls: ["fsmount", "fsconfig", "mount", "move_mount"],
    errno: "EPERM",
    when: /"sysfs"|of sysfs\b|\/sys\b/,
    cause: "sysfs can be mounted only by the owner of the network namespace",
    cure: "give the container a network namespace, or bind-mount /sys",
  },
  {
    calls: ["fsopen", "fsconfig", "fsmount", "mount", "open_tree", "move_mount", "pivot_root", "umount2"],
    errno: "EPERM",
    cause: "mounting takes CAP_SYS_ADMIN in the user namespace that owns the mount namespace",
    cure: "run as root, or add a user and a mount namespace to linux.namespaces",
  },
  {
    calls: ["fsopen", "mount"],
    errno: "ENODEV",
    cause: "the kernel does not know this type of file system",
    cure: "load its module, or see /proc/filesystems for the types that it knows",
  },
  // Comparisons that a program makes itself, and failures that it feigns: see the rooms' record.ts.
  {
    calls: ["expect"],
    errno: "EEXIST",
    when: /linux\.devices|\/dev\//,
    cause: "the image has another file under the name of the device",
    cure: "remove it from the image, mount a tmpfs on /dev, or leave the device out",
  },
  {
    calls: ["expect"],
    errno: "ENODEV",
    cause: "the caller's own file of that name is not the device that was asked for",
    cure: "make the device in the caller's /dev, or leave it out",
  },
  {
    calls: ["expect"],
    errno: "ENOTTY",
    cause: "the container's /dev/pts is not a file system for terminals",
    cure: 'add a mount of type "devpts" on /dev/pts',
  },
  {
    calls: ["expect"],
    errno: "ENOENT",
    when: /process\.cwd/,
    cause: "the working directory is outside of the container's root",
    cure: "name a directory of the container in process.cwd",
  },
  {
    calls: ["fail", "openat2"],
    errno: "ELOOP",
    when: /mounts\[|\/proc|\/sys/,
    cause: "a link in the image leads to where a mount on it could be misused",
    cure: "replace the link in the image by a directory",
  },
  {
    calls: ["fsconfig"],
    errno: "EINVAL",
    when: /SET_(STRING|FLAG)/,
    cause: "the file system does not know this option, or not this value",
    cure: "correct the mount's options",
  },
  {
    calls: ["mount_setattr", "mount"],
    errno: "EPERM",
    cause:
      "a user namespace may not clear the nosuid, nodev, noexec or read-only flag of a mount that it inherited",
    cure: "add the flags of the source to the mount's options",
  },
  {
    calls: ["mount_setattr"],
    errno: "EINVAL",
    when: /idmap/i,
    cause: "the file system of the source cannot have its ids mapped",
    cure: "see mount_setattr(2) for those that can, or leave the idmap option out",
  },
  {
    calls: [
      "mount_setattr",
      "open_tree",
      "move_mount",
      "fsopen",
      "fsmount",
      "openat2",
      "clone3",
      "pidfd_open",
    ],
    errno: "ENOSYS",
    cause: "the kernel is older than 5.12, or a seccomp profile around bunc hides the call",
    cure: "use a newer kernel, or a newer profile in the outer container",
  },
  {
    calls: ["open_tree", "openat", "openat2", "statx"],
    errno: "ENOENT",
    when: /mounts\[\d+\]/,
    cause: "the source of the mount is missing",
    cure: "make it, or correct the mount's source",
  },
  {
    calls: ["openat2", "openat"],
    errno: "ELOOP",
    cause: "a link stands where a real file or directory must be",
    cure: "replace it in the container's root file system",
  },
  {
    calls: ["openat2"],
    errno: "EXDEV",
    cause: "the path leaves the place that it must stay in",
    cure: "look for links and .. in it",
  },
  {
    calls: ["pivot_root"],
    errno: "EINVAL",
    cause: "the root file system of the machine is an initramfs, which cannot be put aside",
    cure: "pass --no-pivot",
  },
  // runtime-spec, config.md, "POSIX-platform Hooks": where the path of each is looked up.
  {
    calls: ["execve"],
    errno: "ENOENT",
    when: /^hooks\.startContainer/,
    cause: "the hook, or the interpreter or loader that it names, is not in the container",
    cure: "add it to the image, or make it a createContainer hook, which is looked up where bunc runs",
  },
  {
    calls: ["execve", "posix_spawn"],
    errno: "ENOENT",
    when: /^hooks\./,
    cause: "the hook, or the interpreter or loader that it names, is missing where bunc runs",
    cure: "install it, or correct the hook's path",
  },
  {
    calls: ["execve", "posix_spawn"],
    errno: "EACCES",
    when: /^hooks\./,
    cause: "the hook is not executable, or lies on a mount with noexec",
    cure: "chmod +x it, or correct its path",
  },
  {
    calls: ["openat"],
    errno: "EACCES",
    when: /"\/proc\/\d+\/root"/,
    cause:
      "hooks inside the container join its first process, which nobody may look into in a joined pid namespace",
    cure: "run as root with CAP_SYS_PTRACE, or make a new pid namespace",
  },
  // execve(2).
  {
    calls: ["execve", "execveat"],
    errno: "ENOENT",
    cause: "the program, or the interpreter or loader that it names, is not in the container",
    cure: "check process.args[0], a script's #! line, and the libraries of the image",
  },
  {
    calls: ["execve", "execveat"],
    errno: "EACCES",
    when: /memfd|\/proc\/self\/fd/,
    cause: "programs may not run from memory here: vm.memfd_noexec is 2, or a security module says so",
    cure: "sysctl vm.memfd_noexec=1",
  },
  {
    calls: ["execve", "execveat"],
    errno: "EACCES",
    cause: "the file is not executable for this user, or lies on a mount with noexec",
    cure: "chmod +x it, and check process.user and the mount's options",
  },
  {
    calls: ["execve", "execveat"],
    errno: "ENOEXEC",
    cause: "the file is built for another processor, or is a script without a #! line",
    cure: "use an image for this machine, or run the script by its interpreter",
  },
  {
    calls: ["execve", "execveat"],
    errno: "E2BIG",
    cause: "process.args and process.env are too long together",
    cure: "shorten them (execve(2) has the limits)",
  },
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
  // Values that a cgroup's file does not take: Documentation/admin-guide/cgroup-v1/*.rst, cgroup-v2.rst, sched-bwc.rst.
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
  {
    calls: ["pidfd_send_signal", "kill"],
    errno: "EPERM",
    cause: "the container belongs to another user",
    cure: "use that user's account, or root's",
  },
  // ptrace(2), "Ptrace access mode checking"; a created container's init is not dumpable.
  {
    calls: ["readlinkat"],
    errno: "EACCES",
    when: /\/proc\/\d+\/ns\//,
    cause: "a container that waits for start lets only root look into it, and nobody another user's",
    cure: "start it first, use its owner's account, or root's",
  },
  // Any file.
  {
    calls: ["openat", "openat2", "mkdirat", "write"],
    errno: "EROFS",
    when: /bunc/,
    cause: "the place of the containers' state cannot be written",
    cure: "pass --root with a directory that can",
  },
  {
    calls: ["openat", "openat2", "pipe2", "memfd_create", "socket", "socketpair", "accept4"],
    errno: "EMFILE",
    cause: "the caller left this process too few descriptors",
    cure: "raise ulimit -n",
  },
];

/** The hint for a failed call: its name, its error number, and the whole text of the error. */
export function findHint(call: string, errno: number, text: string): Hint | undefined {
  return hints.find(
    (row) => ERRNO[row.errno] === errno && row.calls.includes(call) && (row.when?.test(text) ?? true),
  );
}
