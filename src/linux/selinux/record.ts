import type { Program } from "../../../ffi/program/program.ts";
import { recordOwnAttribute } from "../own-attribute.ts";
import type { PlannedSelinux } from "./plan.ts";

/**
 * Asks the kernel for the label of the process: it gets it when it is executed, and its keyring when that is made. Both
 * requests pass to the children of a process, until they execute something, so they are made where /proc is the caller's
 * (CVE-2019-16884, CVE-2019-19921, CVE-2025-52881). proc_pid_attr(5), setexeccon(3), setkeycreatecon(3).
 * @param keyring the process gets a keyring of its own
 */
export function recordProcessLabel(program: Program, { process }: PlannedSelinux, keyring: boolean): void {
  if (process === "") return;
  program.because("process.selinuxLabel");
  recordOwnAttribute(program, ["exec"], process);
  if (keyring) recordOwnAttribute(program, ["keycreate"], process);
}
