import { isSelinuxEnabled } from "../linux/selinux/enabled.ts";
import type { SecurityModules } from "../plan/facts.ts";
import { readOr } from "./probe.ts";

/** Which security modules are enabled, as far as /proc shows it. */
export function probeSecurityModules(): SecurityModules {
  return {
    selinux: isSelinuxEnabled(readOr("/proc/self/mountinfo", ""), readOr("/proc/self/attr/current", "")),
  };
}
