import { MFD } from "../../../ffi/constants/file.ts";
import { SECCOMP_ARCH } from "../../../ffi/constants/seccomp.ts";
import { Descriptor, readFile } from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import { type LibraryComparison, LibseccompFilter, resolveCall, SCMP_CMP } from "../../../ffi/seccomp.ts";
import { answerNewer } from "./newer.ts";
import type { Condition, PlannedFilter } from "./plan.ts";

// libseccomp up to 2.5.4 builds a wrong tree for a filter without rules, and puts four calls in a leaf: under this many
// calls a chain is as good. The limit is runc's.
const treeFrom = 32;

function comparison({ index, op, value, mask }: Condition): LibraryComparison {
  return op === "MASKED_EQ"
    ? { argument: index, op: SCMP_CMP[op], a: mask, b: value }
    : { argument: index, op: SCMP_CMP[op], a: value, b: 0n };
}

/**
 * Compiles a filter with libseccomp.
 * @returns an array of struct sock_filter, 8 bytes an instruction, in the machine's byte order
 * @throws Error naming the packages when the library is not installed; SyscallError when it refuses the profile, with EEXIST
 *   for two rules that say different things of the same conditions, EINVAL for an architecture that it does not know
 */
export function compileWithLibseccomp(plan: PlannedFilter): Uint8Array {
  using filter = new LibseccompFilter(plan.defaultAction);
  // The first is the machine's own: the library adds it by itself.
  for (const name of plan.architectures.slice(1)) filter.addArchitecture(SECCOMP_ARCH[name]);
  if (plan.rules.reduce((count, rule) => count + rule.names.length, 0) > treeFrom) filter.useBinaryTree();
  for (const { names, action, conditions } of plan.rules) {
    // The library takes a rule that repeats the default for a mistake.
    if (action === plan.defaultAction) continue;
    const comparisons = conditions.map(comparison);
    for (const name of names) {
      // Profiles name calls of every kernel and machine; those that no architecture knows are left out.
      const number = resolveCall(name);
      if (number !== undefined) filter.addRule(action, name, number, comparisons);
    }
  }
  using memory = new Descriptor(libc.memfd_create("seccomp", MFD.CLOEXEC));
  filter.exportTo(memory.fd);
  libc.lseek(memory.fd, 0, 0);
  const compiled = readFile(memory.fd);
  return plan.newer === "enosys" ? answerNewer(plan, compiled) : compiled;
}
export { libseccompVersion } from "../../../ffi/seccomp.ts";
