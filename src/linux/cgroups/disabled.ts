import { SpecError } from "../../spec/error.ts";
import type { Resources } from "../../spec/types.ts";
import type { PlannedNoCgroup } from "./planned.ts";
import { limitsV1 } from "./v1/limits.ts";
import { limitUnified } from "./v2/unified.ts";

/**
 * The container stays in the caller's cgroup. linux.cgroupsPath has no meaning then, and devices are not restricted.
 * @param reason why there is none, for the error message
 * Throws SpecError for a limit, which nobody could keep.
 */
export function planWithout(resources: Resources, reason: string): PlannedNoCgroup {
  let first: { readonly property: string } | undefined;
  for (const { limits } of limitsV1(resources)) first ??= limits[0];
  if (resources.unified) first ??= limitUnified(resources.unified)[0];
  if (first) throw new SpecError(first.property, `cannot be applied without a cgroup: ${reason}`);
  return { kind: "none", containerView: { kind: "none" }, notes: [`the container has no cgroup: ${reason}`] };
}

/** Whether a rule forbids anything. */
export function forbidsDevices({ devices }: Resources): boolean {
  return devices?.some(({ allow }) => !allow) === true;
}

/** Why a machine without cgroups is not enough for root: its containers could use every device. Throws SpecError. */
export function refuseWithoutDevices(resources: Resources): void {
  if (!forbidsDevices(resources)) return;
  throw new SpecError(
    "linux.resources.devices",
    "cannot be applied: no cgroup file system is mounted; mount one on /sys/fs/cgroup, or pass --cgroup-manager disabled to go without",
  );
}
