import { ERRNO } from "../../../ffi/constants/errno.ts";
import type { Program } from "../../../ffi/program/program.ts";
import { isMapped, type PlannedIdmap } from "./plan.ts";

/**
 * Takes root's ids in the user namespace that was made or joined: the caller's own may have no number there.
 * @param joined a user namespace was joined; whether it maps root is not known
 */
export function recordBecomeRoot(program: Program, plan: PlannedIdmap, joined: boolean): void {
  if (joined) {
    program.because("linux.namespaces");
    program.setresgid(0, 0, 0).ignore(ERRNO.EINVAL, ERRNO.EPERM);
    program.setresuid(0, 0, 0).ignore(ERRNO.EINVAL, ERRNO.EPERM);
    return;
  }
  if (plan.kind === "none") return;
  if (plan.setgroups === "allow") {
    program.because("linux.gidMappings");
    program.setgroups(0, null).ignore(ERRNO.EPERM);
  }
  if (isMapped(plan.gid, 0)) {
    program.because("linux.gidMappings");
    program.setresgid(0, 0, 0);
  }
  if (isMapped(plan.uid, 0)) {
    program.because("linux.uidMappings");
    program.setresuid(0, 0, 0);
  }
}
