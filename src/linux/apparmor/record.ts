import type { Program } from "../../../ffi/program/program.ts";
import { recordOwnAttribute } from "../own-attribute.ts";

/**
 * Asks the kernel for the profile of the process, which it gets when it is executed. As with SELinux's label the request
 * passes to the children of a process until they execute something. aa_change_onexec(2); attr/apparmor is there since
 * Linux 5.8.
 * @param profile "" asks for none
 */
export function recordProfile(program: Program, profile: string): void {
  if (profile === "") return;
  program.because("process.apparmorProfile");
  recordOwnAttribute(program, ["apparmor/exec", "exec"], `exec ${profile}`);
}
