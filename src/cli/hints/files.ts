// Other processes, and files of any kind.
import type { HintRow } from "./hint.ts";

/** What keeps config.json from being read: before what is said of any file. */
export const bundleHints: readonly HintRow[] = [
  {
    calls: ["openat", "read"],
    errno: "ELOOP",
    when: /^config\.json/,
    cause: "it is a symbolic link that leads to itself",
    cure: "put the file itself there",
  },
  {
    calls: ["openat", "read"],
    errno: "EISDIR",
    when: /^config\.json/,
    cause: "a directory is in its place",
    cure: "put the file there, or name it by --config",
  },
];

export const fileHints: readonly HintRow[] = [
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
  {
    calls: ["write", "openat", "mkdirat"],
    errno: "ENOSPC",
    // A cgroup says so of a cpuset that is empty.
    when: /^(?!.*cgroup).*[<"]\//,
    cause: "the file system that it belongs to is full",
    cure: "make room there, or keep the state elsewhere with --root",
  },
  {
    calls: ["write", "openat", "mkdirat"],
    errno: "EDQUOT",
    when: /[<"]\//,
    cause: "the user's quota of that file system is used up",
    cure: "make room there, or keep the state elsewhere with --root",
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
    calls: [
      "openat",
      "openat2",
      "open_tree",
      "fsopen",
      "fsmount",
      "fspick",
      "pipe2",
      "memfd_create",
      "socket",
      "socketpair",
      "accept4",
      "dup3",
      "fcntl",
    ],
    errno: "EMFILE",
    cause: "the caller left this process too few descriptors",
    cure: "raise ulimit -n",
  },
  {
    calls: ["dup3"],
    errno: "EBADF",
    when: /mounts\[/,
    cause: "the sources of all mounts are open at once, and the caller left this process too few descriptors",
    cure: "raise the hard limit of ulimit -n",
  },
];
