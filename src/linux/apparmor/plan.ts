import { SpecError } from "../../spec/error.ts";

/** Whether AppArmor confines anything on this machine. */
export interface ApparmorContext {
  readonly enabled: boolean;
}

/** The name by which a process is confined by no profile. apparmor(7). */
const unconfined = "unconfined";

/**
 * The profile that the process is executed under; "" leaves what the kernel does by itself.
 * @param profile process.apparmorProfile; "" and undefined ask for none
 * @throws SpecError where AppArmor is not enabled: the process would run without the confinement that it was to have.
 * To be unconfined is what it gets there
 */
export function planApparmor(profile: string | undefined, { enabled }: ApparmorContext): string {
  if (!profile || (!enabled && profile === unconfined)) return "";
  if (!enabled) {
    throw new SpecError(
      "process.apparmorProfile",
      `is ${JSON.stringify(profile)}, but AppArmor is not enabled here: enable it (kernel command line: security=apparmor), or leave the profile out`,
    );
  }
  return profile;
}
