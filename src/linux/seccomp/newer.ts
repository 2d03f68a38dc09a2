// What libseccomp before 2.6 cannot say: calls that are newer than the profile do not exist, instead of being forbidden.
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { SECCOMP_ARCH, SECCOMP_RET, X32_SYSCALL_BIT } from "../../../ffi/constants/seccomp.ts";
import { resolveCallFor } from "../../../ffi/seccomp.ts";
import { Assembler, JUMP_IF, type Place } from "./assembler.ts";
import { firstPrivateCall } from "./call-ranges.ts";
import type { Architecture, PlannedFilter } from "./plan.ts";

/** The highest number that the profile names for an architecture; undefined when it names none. */
function lastNamed(plan: PlannedFilter, architecture: Architecture): number | undefined {
  let last: number | undefined;
  for (const { names } of plan.rules) {
    for (const name of names) {
      const number = resolveCallFor(SECCOMP_ARCH[architecture], name) ?? -1;
      if (architecture === "ARM" && number >= firstPrivateCall) continue;
      if (number >= 0 && !(number <= (last ?? -1))) last = number;
    }
  }
  return last;
}

/**
 * Puts instructions before a filter that answer ENOSYS to calls with a higher number than all that the profile names.
 * Calls of other architectures go to the filter as they are.
 */
export function answerNewer(plan: PlannedFilter, filter: Uint8Array): Uint8Array {
  const to = new Assembler(filter);
  const old = to.place;
  const noSuchCall = to.return(SECCOMP_RET.ERRNO + ERRNO.ENOSYS);
  const compare = (architecture: Architecture): Place => {
    const last = plan.architectures.includes(architecture) ? lastNamed(plan, architecture) : undefined;
    return last === undefined ? old : to.branch(JUMP_IF.GREATER, last, noSuchCall, old);
  };
  let next = old;
  for (const architecture of plan.architectures) {
    // The kernel knows x32 as x86-64: its calls are looked at with those.
    if (architecture === "X32" && plan.architectures.includes("X86_64")) continue;
    const otherwise = next;
    const isX86 = architecture === "X86_64" || architecture === "X32";
    const own = compare(isX86 ? "X86_64" : architecture);
    if (isX86) to.branch(JUMP_IF.NOT_LESS, X32_SYSCALL_BIT, compare("X32"), own);
    else if (architecture === "ARM") to.branch(JUMP_IF.NOT_LESS, firstPrivateCall, old, own);
    else to.continue(own);
    const search = to.load(0);
    next = to.branch(JUMP_IF.EQUAL, SECCOMP_ARCH[isX86 ? "X86_64" : architecture], search, otherwise);
  }
  to.continue(next);
  to.load(4);
  return to.finish();
}
