import { readFileSync } from "node:fs";
import { writePatches } from "./patch.ts";
import { redirectImport } from "./redirect-import.ts";

/**
 * Makes a compiled executable leave the limits that its caller has set as they are.
 *
 * Bun raises its soft limit of open files to the hard one before it runs any program, keeps no note of what it was, and
 * has no switch for it. A container has to have the caller's limit, and nobody else knows that: the parent's may be
 * another (`prlimit --nofile=512:4096 bunc …`, `exec bunc`, a caller in Go). So the executable gets getrlimit(2) for its
 * setrlimit(2): the same arguments, the same success, and nothing changes. What else Bun wants of setrlimit(2) is no core
 * file of its own crash; it then is as the caller has it. bunc itself sets limits with prlimit(2).
 *
 * Throws Error when the executable is not as Bun 1.4.5 makes it: see then what a later Bun does (`strace -e prlimit64`).
 * @param executable path; four bytes of the file are changed
 */
export function keepCallerLimits(executable: string): void {
  writePatches(executable, [planPatch(executable)]);
}

function planPatch(executable: string) {
  try {
    return redirectImport(readFileSync(executable), "setrlimit", "getrlimit");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${executable} would change the caller's limit of open files: ${why}`, { cause });
  }
}
