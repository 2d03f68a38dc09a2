import { planApparmor } from "../linux/apparmor/plan.ts";
import { planMemoryPolicy } from "../linux/memory-policy/plan.ts";
import { planPersonality } from "../linux/personality/plan.ts";
import { planScheduling } from "../linux/scheduling/plan.ts";
import { planSelinux } from "../linux/selinux/plan.ts";
import type { Process } from "../spec/types.ts";
import type { PlannedSeldom, SeldomFacts, SeldomLinux } from "./seldom.ts";

/** Decides about what few containers ask for. Pure. Throws SpecError. */
export function planSeldom(
  process: Process | undefined,
  { mountLabel, memoryPolicy, personality }: SeldomLinux,
  { securityModules }: SeldomFacts,
): PlannedSeldom {
  const { selinux, warnings } = planSelinux(process?.selinuxLabel ?? "", mountLabel ?? "", {
    enabled: securityModules.selinux,
  });
  const { scheduling, warnings: schedulingWarnings } = planScheduling(
    process?.scheduler,
    process?.ioPriority,
  );
  return {
    selinux,
    apparmor: planApparmor(process?.apparmorProfile, { enabled: securityModules.apparmor }),
    scheduling,
    memoryPolicy: memoryPolicy ? planMemoryPolicy(memoryPolicy) : null,
    personality: personality ? planPersonality(personality) : null,
    warnings: [...warnings, ...schedulingWarnings],
  };
}
