import { ERRNO } from "../../../ffi/constants/errno.ts";
import { KEYCTL, PR } from "../../../ffi/constants/process.ts";
import type { Program } from "../../../ffi/program/program.ts";
import type { PlannedCredentials } from "./plan.ts";

/** A session keyring of the container's own, so that it holds none of the caller's keys. keyrings(7). */
export function recordKeyring(program: Program, { keyring }: PlannedCredentials): void {
  if (keyring === "") return;
  program.because("keyring (--no-new-keyring leaves it out)");
  // A kernel without keyrings, or a seccomp filter around us that knows of none.
  program
    .keyctl(KEYCTL.JOIN_SESSION_KEYRING, keyring, 0, 0, 0)
    .ignore(ERRNO.ENOSYS, ERRNO.EPERM, ERRNO.EACCES);
}

/** Gives the standard streams to the user, who could not reopen /dev/stdout otherwise. */
export function recordOwnStreams(program: Program, plan: PlannedCredentials): void {
  program.because("process.user");
  for (const fd of plan.ownedStreams) {
    program
      .fchown(fd, plan.uid, plan.gid)
      .ignore(ERRNO.EPERM, ERRNO.EINVAL, ERRNO.EROFS, ERRNO.ENOSYS, ERRNO.EBADF, ERRNO.EOPNOTSUPP);
  }
}

/** Groups first: once the user is not root any more they can no longer be changed. */
export function recordIds(program: Program, plan: PlannedCredentials): void {
  if (plan.groups.kind === "set") {
    program.because("process.user.additionalGids");
    const { ids } = plan.groups;
    const list = new Uint8Array(new Uint32Array(ids).buffer);
    program.setgroups(ids.length, ids.length === 0 ? null : list);
  }
  program.because("process.user");
  program.setresgid(plan.gid, plan.gid, plan.gid);
  program.setresuid(plan.uid, plan.uid, plan.uid);
}

export function recordNoNewPrivileges(program: Program, plan: PlannedCredentials): void {
  if (!plan.noNewPrivileges) return;
  program.because("process.noNewPrivileges");
  program.prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

export function recordUmask(program: Program, plan: PlannedCredentials): void {
  program.because("process.user.umask");
  program.umask(plan.umask);
}
