import type { PlannedMemoryPolicy } from "../linux/memory-policy/plan.ts";
import type { PlannedScheduling } from "../linux/scheduling/plan.ts";
import type { PlannedSelinux } from "../linux/selinux/plan.ts";
import type { Linux, Process } from "../spec/types.ts";
import type { HostFacts } from "./facts.ts";

/** What few containers ask for. The rooms of it are loaded for those alone. */
export interface PlannedSeldom {
  readonly selinux: PlannedSelinux;
  /** AppArmor's profile; "" for none. */
  readonly apparmor: string;
  readonly scheduling: PlannedScheduling;
  /** null leaves the caller's, as the next one. */
  readonly memoryPolicy: PlannedMemoryPolicy | null;
  /** Argument of personality(2). */
  readonly personality: number | null;
  readonly warnings: readonly string[];
}

export type SeldomFacts = Pick<HostFacts, "securityModules">;

/** The part of `linux` that this is about. */
export type SeldomLinux = Pick<Linux, "mountLabel" | "memoryPolicy" | "personality">;

/** What a process and its container ask for of it; null when that is nothing. Throws SpecError. */
export function seldomOf(
  process: Process | undefined,
  linux: SeldomLinux,
  facts: SeldomFacts,
): PlannedSeldom | null {
  const asked =
    process?.selinuxLabel ||
    process?.apparmorProfile ||
    process?.scheduler ||
    process?.ioPriority ||
    linux.mountLabel ||
    linux.memoryPolicy ||
    linux.personality;
  if (!asked) return null;
  const { planSeldom } = require("./plan-seldom.ts") as typeof import("./plan-seldom.ts");
  return planSeldom(process, linux, facts);
}
