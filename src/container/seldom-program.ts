// The steps for what few containers ask for. Loaded for those alone.
import type { Program } from "../../ffi/program/program.ts";
import { recordProfile } from "../linux/apparmor/record.ts";
import type { PlannedCredentials } from "../linux/credentials/plan.ts";
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
