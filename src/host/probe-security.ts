import { isSelinuxEnabled } from "../linux/selinux/enabled.ts";
import type { SecurityModules } from "../plan/facts.ts";
import { readOr } from "./read.ts";

/** Which security modules are enabled, as far as /proc shows it. */
export function probeSecurityModules(): SecurityModules {
  return {
    // apparmor(7): the module's parameter is there when it is built in, and Y when it is used.
    apparmor: readOr("/sys/module/apparmor/parameters/enabled", "").startsWith("Y"),
    selinux: isSelinuxEnabled(readOr("/proc/self/mountinfo", ""), readOr("/proc/self/attr/current", "")),
  };
}
