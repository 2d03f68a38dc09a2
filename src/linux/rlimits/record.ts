import type { Program } from "../../../ffi/program/program.ts";
import { rlimit64 } from "../../../ffi/structs/rlimit64.ts";
import type { PlannedRlimit } from "./plan.ts";

/** A process sets limits of its own, while it still may raise them. prlimit(2). */
export function recordRlimits(program: Program, rlimits: readonly PlannedRlimit[]): void {
  for (const { origin, resource, soft, hard } of rlimits) {
    program.because(origin);
    program.prlimit64(0, resource, rlimit64(soft, hard), null);
  }
}
