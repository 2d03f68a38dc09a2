import { ERRNO } from "../../../../ffi/constants/errno.ts";
import { AT } from "../../../../ffi/constants/file.ts";
import { exists, readText } from "../../../../ffi/file.ts";
import { attempt, failure } from "../../../../ffi/libc.ts";
import { SpecError } from "../../../spec/error.ts";

/** Which files of a cgroup may belong to its users, as this kernel says. cgroups(7), "Delegation". Linux 4.15. */
const list = "/sys/kernel/cgroup/delegate";
/** What runtime-spec names for kernels without the list. */
const usual = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads";

/**
 * Gives a cgroup to the user who runs in it: the directory, and those of its files with which it is divided further, not
 * its limits. Who may not give anything away, as without root's powers, keeps it.
 * runtime-spec, config-linux.md, "Cgroup ownership". Throws SpecError.
 */
export function giveAway(path: string, uid: number): void {
  const names = (exists(list) ? readText(list) : usual).split("\n").filter((name) => name !== "");
  for (const file of [path, ...names.map((name) => `${path}/${name}`)]) {
    // -1 leaves the group.
    const result = attempt.fchownat(AT.FDCWD, file, uid, 0xffff_ffff, AT.SYMLINK_NOFOLLOW);
    // A file of the list that belongs to a controller which is not on.
    if (result === 0 || result === -ERRNO.ENOENT) continue;
    if (result === -ERRNO.EPERM) return;
    throw new SpecError(
      "linux.namespaces",
      `has a cgroup namespace, and ${file} could not be given to uid ${uid}`,
      {
        cause: failure("fchownat", [AT.FDCWD, file, uid, -1, AT.SYMLINK_NOFOLLOW], -result),
      },
    );
  }
}
