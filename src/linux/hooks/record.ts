import type { Program } from "../../../ffi/program/program.ts";
import type { PlannedHook } from "./plan.ts";

/**
 * Numbers of the descriptors that the program of a hook inside the container counts on, 0 to 2 being the hook's own
 * streams. Fixed: `start` runs programs that `create` has saved.
 */
export const hookDescriptors = { init: 3, root: 4, report: 5 } as const;

/** Becomes the hook. Everything but its standard streams closes with that: the end of the report is its beginning. */
export function recordExecuteHook(program: Program, hook: PlannedHook): void {
  program.because(hook.origin);
  program.execve(hook.path, program.vector(hook.args), program.vector(hook.env));
}
