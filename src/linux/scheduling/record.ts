import type { Program } from "../../../ffi/program/program.ts";
import type { PlannedAffinity } from "./plan.ts";

/** The CPUs of the first process of `exec`, and of those that it makes. sched_setaffinity(2). */
export function recordInitialAffinity(program: Program, { initial }: PlannedAffinity): void {
  recordMask(program, "process.execCPUAffinity.initial", initial);
}

/** The CPUs of the process itself, in the container's cgroup, to whose CPUs the kernel cuts them down. */
export function recordFinalAffinity(program: Program, { final }: PlannedAffinity): void {
  recordMask(program, "process.execCPUAffinity.final", final);
}

function recordMask(program: Program, origin: string, mask: Uint8Array): void {
  if (mask.length === 0) return;
  program.because(origin);
  program.sched_setaffinity(0, mask.length, mask);
}
