import { ERRNO } from "../../ffi/constants/errno.ts";
import type { SyscallError } from "../../ffi/error.ts";
import { readText } from "../../ffi/file.ts";
import type { Hint } from "./hints/hint.ts";

/** The value of a sysctl, by its path beneath /proc/sys; undefined where the kernel has none, or it may not be read. */
export type ReadSysctl = (path: string) => string | undefined;

const kinds = {
  CLONE_NEWUSER: "user",
  CLONE_NEWPID: "pid",
  CLONE_NEWNS: "mnt",
  CLONE_NEWNET: "net",
  CLONE_NEWIPC: "ipc",
  CLONE_NEWUTS: "uts",
  CLONE_NEWCGROUP: "cgroup",
  CLONE_NEWTIME: "time",
} as const;

/** Calls that a security module refuses in a user namespace which it has let somebody make. */
const refusedLater: readonly string[] = [
  ...["fsopen", "fsconfig", "fsmount", "mount", "open_tree", "move_mount", "mount_setattr", "pivot_root"],
  ...["sethostname", "setdomainname", "write", "openat", "setgroups", "setresgid", "setresuid", "mknodat"],
];

function explainLimit(text: string, read: ReadSysctl): Hint | undefined {
  for (const [flag, kind] of Object.entries(kinds)) {
    const name = `user.max_${kind}_namespaces`;
    if (!text.includes(flag) || read(`user/max_${kind}_namespaces`) !== "0") continue;
    return {
      cause: `${name} is 0, which forbids ${kind} namespaces`,
      cure: `raise it as root: sysctl ${name}=15000`,
    };
  }
  return undefined;
}

function explainRefusal(read: ReadSysctl): Hint | undefined {
  if (read("kernel/unprivileged_userns_clone") === "0") {
    return {
      cause: "kernel.unprivileged_userns_clone is 0, which leaves user namespaces to root",
      cure: "allow them as root: sysctl kernel.unprivileged_userns_clone=1",
    };
  }
  return explainAppArmor(read);
}

function explainAppArmor(read: ReadSysctl): Hint | undefined {
  if (read("kernel/apparmor_restrict_unprivileged_userns") !== "1") return undefined;
  return {
    cause:
      "kernel.apparmor_restrict_unprivileged_userns is 1: AppArmor takes every right from user namespaces of programs without a profile",
    cure: "as root, give bunc a profile in /etc/apparmor.d with the rule userns, or sysctl kernel.apparmor_restrict_unprivileged_userns=0",
  };
}

/**
 * Which setting of this machine has made a call of namespaces fail; undefined when none is known to.
 * user_namespaces(7), namespaces(7); unprivileged_userns_clone is Debian's, apparmor_restrict… Ubuntu's.
 * @param text the error's whole text, with the names of the flags
 * @param uid of the caller: for root neither of the two counts
 */
export function findNamespaceHint(
  { call, errno }: Pick<SyscallError, "call" | "errno">,
  text: string,
  uid: number,
  read: ReadSysctl = readSysctl,
): Hint | undefined {
  const makes = call === "clone3" || call === "unshare";
  if (makes && errno === ERRNO.ENOSPC) return explainLimit(text, read);
  // A detached tree is in a mount namespace of its own.
  if ((call === "open_tree" || call === "fsmount") && errno === ERRNO.ENOSPC) {
    return explainLimit("CLONE_NEWNS", read);
  }
  if (uid === 0 || (errno !== ERRNO.EPERM && errno !== ERRNO.EACCES)) return undefined;
  if (makes) return text.includes("CLONE_NEWUSER") ? explainRefusal(read) : undefined;
  return refusedLater.includes(call) ? explainAppArmor(read) : undefined;
}

function readSysctl(path: string): string | undefined {
  try {
    return readText(`/proc/sys/${path}`).trim();
  } catch {
    return undefined;
  }
}
