import { SECCOMP } from "../../../ffi/constants/process.ts";
import { BPF_MAXINSNS } from "../../../ffi/constants/seccomp.ts";
import type { Program, Step } from "../../../ffi/program/program.ts";
import { SOCK_FILTER_SIZE, SOCK_FPROG_FILTER, sockFprog } from "../../../ffi/structs/sock-fprog.ts";
import { SpecError } from "../../spec/error.ts";

/**
 * Records the step that puts the process under a filter; every later step of the program is under it too.
 * seccomp(2), SECCOMP_SET_MODE_FILTER: it takes no_new_privs, or CAP_SYS_ADMIN in the process's user namespace.
 * @param filter struct sock_filter[], from loadFilter
 * @param flags SECCOMP_FILTER_FLAG_* or-ed, from the plan
 * @param origin what asked for the filter
 * @returns the step; with SECCOMP_FILTER_FLAG_NEW_LISTENER its result is the listener's descriptor
 * @throws SpecError when the filter is longer than the kernel takes
 */
export function recordSeccomp(
  program: Program,
  filter: Uint8Array,
  flags: number,
  origin = "linux.seccomp",
): Step {
  const count = filter.length / SOCK_FILTER_SIZE;
  if (count > BPF_MAXINSNS) {
    throw new SpecError(
      "linux.seccomp",
      `compiles to ${count} instructions, and the kernel takes ${BPF_MAXINSNS}: ` +
        "name fewer architectures or fewer argument conditions",
    );
  }
  program.because(origin);
  const fprog = program.data(sockFprog(count), `sock_fprog of ${count} instructions`);
  program.link(fprog.at(SOCK_FPROG_FILTER), program.constant(filter, "filter"));
  return program.seccomp(SECCOMP.SET_MODE_FILTER, flags, fprog);
}
