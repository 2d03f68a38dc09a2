import { SECCOMP } from "../../../ffi/constants/process.ts";
import { BPF_MAXINSNS } from "../../../ffi/constants/seccomp.ts";
import type { Data, Program, Step } from "../../../ffi/program/program.ts";
import { SOCK_FILTER_SIZE, SOCK_FPROG_FILTER, sockFprog } from "../../../ffi/structs/sock-fprog.ts";
import { checkLength } from "./filter-file.ts";

/** Where a process has its filter from: struct sock_filter[], or the number of a file that has it by then. */
export type FilterSource = Uint8Array | { readonly fd: number };

/**
 * Records what brings a filter into the process's memory: nothing, or the reading of its file (filter-file.ts).
 * @returns its sock_fprog, for recordSeccomp
 * @throws SpecError when the filter is longer than the kernel takes
 */
export function recordFilter(program: Program, filter: FilterSource, origin = "linux.seccomp"): Data {
  program.because(origin);
  if (filter instanceof Uint8Array) {
    checkLength(filter);
    const count = filter.length / SOCK_FILTER_SIZE;
    const fprog = program.data(sockFprog(count), `sock_fprog of ${count} instructions`);
    program.link(fprog.at(SOCK_FPROG_FILTER), program.constant(filter, "filter"));
    return fprog;
  }
  // Of a file that has nothing the length stays 0, and the kernel takes no such filter.
  const fprog = program.data(sockFprog(0), "sock_fprog");
  const instructions = program.space(BPF_MAXINSNS * SOCK_FILTER_SIZE, "filter");
  program.link(fprog.at(SOCK_FPROG_FILTER), instructions);
  program.pread64(filter.fd, fprog, SOCK_FPROG_FILTER, 0);
  program.pread64(filter.fd, instructions, BPF_MAXINSNS * SOCK_FILTER_SIZE, SOCK_FPROG_FILTER);
  return fprog;
}

/**
 * Records the step that puts the process under a filter; every later step of the program is under it too.
 * seccomp(2), SECCOMP_SET_MODE_FILTER: it takes no_new_privs, or CAP_SYS_ADMIN in the process's user namespace.
 * @param fprog from recordFilter
 * @param flags SECCOMP_FILTER_FLAG_* or-ed, from the plan
 * @param origin what asked for the filter
 * @returns the step; with SECCOMP_FILTER_FLAG_NEW_LISTENER its result is the listener's descriptor
 */
export function recordSeccomp(program: Program, fprog: Data, flags: number, origin = "linux.seccomp"): Step {
  program.because(origin);
  return program.seccomp(SECCOMP.SET_MODE_FILTER, flags, fprog);
}
