import { planApparmor } from "../linux/apparmor/plan.ts";
import { planSelinux } from "../linux/selinux/plan.ts";
import type { Linux, Process } from "../spec/types.ts";
import type { PlannedSeldom, SeldomFacts } from "./seldom.ts";

/** Decides about what few containers ask for. Pure. Throws SpecError. */
export function planSeldom(
  process: Process | undefined,
  linux: Linux,
  { securityModules }: SeldomFacts,
): PlannedSeldom {
  const { selinux, warnings } = planSelinux(process?.selinuxLabel ?? "", linux.mountLabel ?? "", {
    enabled: securityModules.selinux,
  });
  return {
    selinux,
    apparmor: planApparmor(process?.apparmorProfile, { enabled: securityModules.apparmor }),
    warnings,
  };
}
