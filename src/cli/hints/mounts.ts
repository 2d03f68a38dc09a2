// The file systems of the container: the mount calls, and what a program checks in its image.
import type { HintRow } from "./hint.ts";

export const mountHints: readonly HintRow[] = [
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
  // src/linux/copy-up/record.ts: less was moved than the file had.
  {
    calls: ["sendfile", "expect", "openat", "mkdirat", "symlinkat", "mknodat"],
    errno: "ENOSPC",
    when: /tmpcopyup/,
    cause: "the tmpfs is smaller than what the image has there, or a file was cut short meanwhile",
    cure: "give the mount a larger size= or nr_inodes=",
  },
  {
    calls: ["openat", "openat2", "fgetxattr"],
    errno: "EACCES",
    when: /tmpcopyup/,
    cause: "the container's root may not read the file, so it gets no copy of it, either",
    cure: "change the file's owner or mode in the image",
  },
  {
    calls: ["expect"],
    errno: "ESTALE",
    when: /tmpcopyup/,
    cause: "somebody replaced the file while it was copied",
    cure: "try again when nobody changes the image",
  },
  {
    calls: ["expect", "readlinkat"],
    errno: "EEXIST",
    when: /mounts\[/,
    cause: "the image has another link under the name of the mount with copy-symlink",
    cure: "remove it from the image, or leave copy-symlink out",
  },
  {
    calls: ["readlinkat"],
    errno: "EINVAL",
    when: /mounts\[/,
    cause: "the image has a file under the name of the link that copy-symlink makes",
    cure: "remove it from the image, or leave copy-symlink out",
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
  // selinux_add_opt(), selinux_set_mnt_opts() in security/selinux/hooks.c.
  {
    calls: ["fsconfig"],
    errno: "EINVAL",
    when: /"(fs|def|root)?context"/,
    cause: "the SELinux policy of this machine does not know the label",
    cure: "correct linux.mountLabel or the mount's context option (matchpathcon and ps -Z show labels that it knows)",
  },
  {
    calls: ["fsconfig"],
    errno: "EACCES",
    when: /CMD_CREATE/,
    cause:
      "a directory that the file system is made of is closed to the container's root, or SELinux labels no file system of this type in a user namespace",
    cure: "open the directory, or leave the mount or linux.mountLabel out",
  },
  {
    calls: ["setxattr"],
    errno: "EINVAL",
    when: /security\.selinux/,
    cause: "the SELinux policy of this machine does not know the label",
    cure: "correct linux.mountLabel",
  },
  {
    calls: ["fsconfig"],
    errno: "EINVAL",
    when: /SET_(STRING|FLAG)/,
    cause: "the file system does not know this option, or not this value",
    cure: "correct the mount's options",
  },
  {
    calls: ["mount_setattr"],
    errno: "EPERM",
    when: /id-mapped/,
    cause: "ids can be mapped only by who has CAP_SYS_ADMIN where the file system was mounted",
    cure: "run as the machine's root, or change the owners of the files instead",
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
    when: /id-mapped/,
    cause: "a file system must be made for it: mount_setattr(2) says which are, since which kernel",
    cure: "use a newer kernel or another file system, or change the owners of the files instead",
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
];
