import type { PlannedSelinux } from "../linux/selinux/plan.ts";
import type { Linux, Process } from "../spec/types.ts";
import type { HostFacts } from "./facts.ts";

/** What few containers ask for. The rooms of it are loaded for those alone. */
export interface PlannedSeldom {
  readonly selinux: PlannedSelinux;
  /** AppArmor's profile; "" for none. */
  readonly apparmor: string;
  readonly warnings: readonly string[];
}

export type SeldomFacts = Pick<HostFacts, "securityModules">;

/** What a process and its container ask for of it; null when that is nothing. Throws SpecError. */
export function seldomOf(
  process: Process | undefined,
  linux: Linux,
  facts: SeldomFacts,
): PlannedSeldom | null {
  if (!process?.selinuxLabel && !process?.apparmorProfile && !linux.mountLabel) return null;
  const { planSeldom } = require("./plan-seldom.ts") as typeof import("./plan-seldom.ts");
  return planSeldom(process, linux, facts);
}
