import { SpecError } from "../../spec/error.ts";
import type { Resources } from "../../spec/types.ts";
import { type AccessRule, accessRules } from "./device-rules.ts";
import type { Limit } from "./limit.ts";
import type { CgroupPath } from "./path.ts";
import type { PlannedWrite } from "./planned.ts";

/** What is asked of a layout. */
export interface Request {
  readonly path: CgroupPath;
  readonly resources: Resources;
  readonly privileged: boolean;
  /** Uid that a cgroup of version 2 is to belong to; undefined leaves it the caller's. */
  readonly owner: number | undefined;
  readonly notes: readonly string[];
}

/** Limits of one controller. */
export interface ControllerLimits {
  readonly controller: string;
  readonly limits: readonly Limit[];
}

/**
 * The rules of access to devices that are applied. In a user namespace the kernel lets nobody set them, and device nodes
 * cannot be made there anyway, so that there are none for unprivileged callers, whatever config.json says.
 */
export function rulesOf({ privileged, resources }: Request): readonly AccessRule[] {
  return privileged ? accessRules(resources.devices ?? []) : [];
}

/**
 * What makes a directory of the container necessary: "" when it can do without. Callers ask for cgroups by habit
 * (buildah forbids all devices in every config.json), so that only those who name a path, a limit, or have root's powers
 * are told when there can be none.
 */
export function neededBy({ privileged, path }: Request, limits: readonly Limit[]): string {
  const [first] = limits;
  if (first) return first.property;
  return privileged || path.kind !== "default" ? "linux.cgroupsPath" : "";
}

/** The controllers of version 2 that limits need. */
export function controllersOf(limits: readonly ControllerLimits[]): { name: string; property: string }[] {
  const needed: { name: string; property: string }[] = [];
  for (const { controller, limits: asked } of limits) {
    // Files of cgroups themselves are always there.
    if (controller === "cgroup" || needed.some(({ name }) => name === controller)) continue;
    needed.push({ name: controller, property: asked[0]?.property ?? "" });
  }
  return needed;
}

/** The limits as writes to the files of one cgroup. */
export function writesIn(directory: string, limits: readonly Limit[]): PlannedWrite[] {
  const writes: PlannedWrite[] = [];
  for (const each of limits) {
    const { file, otherwise, usage } = each;
    writes.push({
      ...each,
      file: `${directory}/${file}`,
      otherwise: otherwise && { ...otherwise, file: `${directory}/${otherwise.file}` },
      usage: usage.map((name) => `${directory}/${name}`),
    });
  }
  return writes;
}

/** A limit that this machine cannot keep. */
export function unavailable(property: string, controller: string, available: readonly string[]): SpecError {
  const list = available.length > 0 ? available.join(", ") : "none";
  return new SpecError(
    property,
    `needs the ${controller} controller of cgroups, which is not available: the machine has ${list}; leave it out, or enable the controller (kernel parameter cgroup_enable=${controller}, or delegation)`,
  );
}
