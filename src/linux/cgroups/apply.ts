import { completeInScope, createCgroup } from "./create.ts";
import type { PlannedCgroup } from "./planned.ts";
import { writeLimits } from "./write.ts";

export { describeCgroup } from "./describe.ts";
export { enterCgroup, openCgroup } from "./enter.ts";
export { createCgroup };

/**
 * Writes the limits of the container's cgroup. Best when init waits already: a limit of processes or of memory could
 * hinder the set-up. Throws SpecError that names the property which the kernel refused.
 */
export function applyLimits(plan: PlannedCgroup): void {
  if (plan.kind === "none") return;
  if (plan.scope) completeInScope(plan);
  if (plan.devices.kind === "program") {
    const { attachDevices } = require("./v2/attach-devices.ts") as typeof import("./v2/attach-devices.ts");
    attachDevices(plan.devices.path, plan.devices.instructions);
  }
  if (plan.writes.length > 0) writeLimits(plan.writes);
  if (plan.scope) {
    const { limitScope } = require("./systemd/limit.ts") as typeof import("./systemd/limit.ts");
    limitScope(plan.scope, plan.scope.limits);
  }
}
