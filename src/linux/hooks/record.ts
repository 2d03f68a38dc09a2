import type { Program } from "../../../ffi/program/program.ts";
import type { PlannedHook } from "./plan.ts";

/**
 * Numbers of the descriptors that the program of a hook inside the container counts on, 0 to 2 being the hook's own
 * streams. Fixed: `start` runs programs that `create` has saved.
 */
export const hookDescriptors = { init: 3, root: 4, report: 5 } as const;

/**
 * Joins init: its namespaces, and its root. setns(2) with a pidfd, Linux 5.8. A mount namespace is joined at the top of
 * what is mounted on its root, which need not be where init is: before the switch of root that may be the container's.
 * @param flags CLONE_NEW* or-ed: the namespaces that are not the caller's own, which cannot be joined again
 * @param becomeRoot records the change to root's ids in a user namespace that was joined
 */
export function recordJoinInit(program: Program, flags: number, becomeRoot: () => void): void {
  program.because("hooks");
  if (flags !== 0) program.setns(hookDescriptors.init, flags);
  becomeRoot();
  program.because("hooks");
  program.fchdir(hookDescriptors.root);
  program.chroot(".");
  program.chdir("/");
}

/** Becomes the hook. Everything but its standard streams closes with that: the end of the report is its beginning. */
export function recordExecuteHook(program: Program, hook: PlannedHook): void {
  program.because(hook.origin);
  program.execve(hook.path, program.vector(hook.args), program.vector(hook.env));
}
