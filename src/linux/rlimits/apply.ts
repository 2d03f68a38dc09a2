import { ERRNO } from "../../../ffi/constants/errno.ts";
import { attempt, failure } from "../../../ffi/libc.ts";
import { RLIM64_INFINITY, rlimit64 } from "../../../ffi/structs/rlimit64.ts";
import { SpecError } from "../../spec/error.ts";
import type { PlannedRlimit } from "./plan.ts";

/**
 * Sets the limits of another process. prlimit(2).
 * Throws SpecError that names the limit and both values when the hard limit may not be raised.
 */
export function applyRlimits(rlimits: readonly PlannedRlimit[], pid: number): void {
  for (const rlimit of rlimits) {
    const limits = rlimit64(rlimit.soft, rlimit.hard);
    const result = attempt.prlimit64(pid, rlimit.resource, limits, null);
    if (result >= 0) continue;
    const cause = failure("prlimit64", [pid, rlimit.resource, limits, null], -result);
    if (result !== -ERRNO.EPERM)
      throw new SpecError(rlimit.origin, `could not be set (RLIMIT_${rlimit.name})`, { cause });
    throw new SpecError(rlimit.origin, explain(rlimit, pid), { cause });
  }
}

function explain(rlimit: PlannedRlimit, pid: number): string {
  const current = new Uint8Array(16);
  attempt.prlimit64(pid, rlimit.resource, null, current);
  const hard = new DataView(current.buffer).getBigUint64(8, true);
  return `asks for a hard RLIMIT_${rlimit.name} of ${render(rlimit.hard)}, but the caller's is ${render(hard)}`;
}

function render(value: bigint): string {
  return value === RLIM64_INFINITY ? "unlimited" : String(value);
}
