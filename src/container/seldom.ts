// The steps and the calls for what few containers ask for. Loaded for those alone.
import type { Program } from "../../ffi/program/program.ts";
import { recordProfile } from "../linux/apparmor/record.ts";
import type { PlannedCredentials } from "../linux/credentials/plan.ts";
import { recordMemoryPolicy } from "../linux/memory-policy/record.ts";
import { recordPersonality } from "../linux/personality/record.ts";
import { applyScheduling } from "../linux/scheduling/apply.ts";
import { recordProcessLabel } from "../linux/selinux/record.ts";
import type { PlannedSeldom } from "../plan/seldom.ts";

/** Asks for the labels of the process, in the first process, which sees the caller's /proc. */
export function recordLabels(
  program: Program,
  { selinux, apparmor }: PlannedSeldom,
  { keyring }: PlannedCredentials,
): void {
  recordProcessLabel(program, selinux, keyring !== "");
  recordProfile(program, apparmor);
}

/** What a process can only say of itself, before a filter of system calls could mind. */
export function recordOwnSettings(program: Program, { memoryPolicy, personality }: PlannedSeldom): void {
  if (memoryPolicy) recordMemoryPolicy(program, memoryPolicy);
  if (personality !== null) recordPersonality(program, personality);
}

/** What bunc sets of a process that is in its cgroup and has its limits. Throws SpecError. */
export function applySettings({ scheduling }: PlannedSeldom, pid: number): void {
  applyScheduling(scheduling, pid);
}
