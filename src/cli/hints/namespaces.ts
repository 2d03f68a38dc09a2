// Processes and namespaces: clone3(2), unshare(2), setns(2).
import type { HintRow } from "./hint.ts";

export const namespaceHints: readonly HintRow[] = [
  // rtnetlink(7): rtnl_link_get_net_capable(), and devices that stay where they are (NETNS_IMMUTABLE).
  {
    calls: ["rtnetlink", "setns"],
    errno: "EPERM",
    when: /netDevices/,
    cause: "network devices are moved by who has CAP_NET_ADMIN and CAP_SYS_ADMIN in both network namespaces",
    cure: "run as root, or leave linux.netDevices out",
  },
  {
    calls: ["rtnetlink"],
    errno: "EINVAL",
    cause: "some devices cannot leave their network namespace: loopback, and those that are part of another",
    cure: "name another device, or make one for the container, such as a veth or macvlan",
  },
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
    calls: ["openat"],
    errno: "ENOENT",
    when: /linux\.namespaces\[/,
    cause: "the namespace is gone with its last process, or its file was never bound there",
    cure: "make it first, or leave the path out for a new one",
  },
  // user_namespaces(7): nobody may join the one that it is in.
  {
    calls: ["setns"],
    errno: "EINVAL",
    when: /CLONE_NEWUSER/,
    cause: "bunc is in this user namespace already",
    cure: "leave the user namespace out of linux.namespaces, the container then has the caller's",
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
];
