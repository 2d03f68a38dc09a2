import { CAP } from "../../../ffi/constants/capability.ts";
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { PR, PR_CAP_AMBIENT } from "../../../ffi/constants/process.ts";
import type { Program } from "../../../ffi/program/program.ts";
import { capData, capHeader } from "../../../ffi/structs/capability.ts";
import type { PlannedCapabilities } from "./plan.ts";

/** Drops what is not in the bounding set. While CAP_SETPCAP is still held, so before the ids change. */
export function recordBoundingSet(program: Program, { bounding, last }: PlannedCapabilities): void {
  program.because("process.capabilities.bounding");
  for (let number = 0; number <= last; number++) {
    if ((bounding >> BigInt(number)) & 1n) continue;
    program.prctl(PR.CAPBSET_DROP, number, 0, 0, 0);
  }
}

/** Keeps the permitted capabilities over the change of user id that follows. */
export function recordKeepCapabilities(program: Program): void {
  program.because("process.capabilities");
  program.prctl(PR.SET_KEEPCAPS, 1, 0, 0, 0);
}

/**
 * The sets with CAP_SYS_ADMIN too, for a filter of system calls that is loaded after them. It lasts until the execution:
 * that computes the sets anew from the bounding, inheritable and ambient ones. capabilities(7).
 */
export function withFilterLoading(sets: PlannedCapabilities): PlannedCapabilities {
  const admin = 1n << BigInt(CAP.CAP_SYS_ADMIN);
  return { ...sets, permitted: sets.permitted | admin, effective: sets.effective | admin };
}

/** The final sets, after the ids: setresuid(2) cleared the effective ones. */
export function recordCapabilities(program: Program, sets: PlannedCapabilities): void {
  program.because("process.capabilities");
  program.capset(capHeader(), capData(sets));
  program.because("process.capabilities.ambient");
  program.prctl(PR.CAP_AMBIENT, PR_CAP_AMBIENT.CLEAR_ALL, 0, 0, 0).ignore(ERRNO.EINVAL);
  if (sets.ambient === 0n) return;
  for (let number = 0; number <= sets.last; number++) {
    if ((sets.ambient >> BigInt(number)) & 1n) {
      program.prctl(PR.CAP_AMBIENT, PR_CAP_AMBIENT.RAISE, number, 0, 0);
    }
  }
}
