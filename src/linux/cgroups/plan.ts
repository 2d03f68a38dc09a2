import type { Resources } from "../../spec/types.ts";
import { forbidsDevices, planWithout, refuseWithoutDevices } from "./disabled.ts";
import type { CgroupLayout } from "./layout.ts";
import { readCgroupsPath } from "./path.ts";
import type { PlannedCgroup } from "./planned.ts";
import type { Request } from "./request.ts";
import type { SystemdFacts } from "./systemd/facts.ts";
import { planV1 } from "./v1/plan.ts";
import { planV2 } from "./v2/plan.ts";

export type { PlannedCgroup } from "./planned.ts";

/** The properties of config.json that are about control groups. */
export interface CgroupConfig {
  readonly cgroupsPath: string | undefined;
  readonly resources: Resources | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface CgroupContext {
  readonly id: string;
  readonly layout: CgroupLayout;
  /** The caller is the machine's root. Others use what was delegated to them, and no rules of devices. */
  readonly privileged: boolean;
  readonly manager: "cgroupfs" | "systemd" | "disabled";
  /** Uid, as the caller sees it, that a cgroup of version 2 is to belong to: see owner.ts. */
  readonly owner: number | undefined;
  /** With the manager "systemd"; where it is missing bunc makes the cgroups by itself. */
  readonly systemd: SystemdFacts;
}

/**
 * Decides which cgroups the container gets, and what is written to them. Pure.
 * Throws SpecError that names the property which cannot be applied.
 */
export function planCgroup(config: CgroupConfig, context: CgroupContext): PlannedCgroup {
  return Object.freeze(planWith(config, context));
}

function planWith(config: CgroupConfig, context: CgroupContext): PlannedCgroup {
  const { layout, manager, systemd, id, owner } = context;
  const resources = config.resources ?? {};
  if (manager === "disabled") return planWithout(resources, "--cgroup-manager disabled");
  // Root of an outer container, whose cgroups are mounted read-only, does without as others do, but not where config.json
  // forbids devices: then nobody would keep root's container from them.
  const privileged = context.privileged && (isWritable(layout) || forbidsDevices(resources));
  if (layout.kind === "none") {
    if (context.privileged) refuseWithoutDevices(resources);
    return planWithout(resources, "no cgroup file system is mounted");
  }
  if (manager === "systemd" && systemd.kind === "running") {
    const { placeScope, planInScope } = require("./systemd/plan.ts") as typeof import("./systemd/plan.ts");
    const place = placeScope(config.cgroupsPath, config.annotations, { id, systemd });
    const planned = planIn(layout, { path: place.path, resources, privileged, owner, notes: [] });
    return planInScope(planned, place, systemd.version);
  }
  const path = readCgroupsPath(config.cgroupsPath, id, manager === "systemd");
  return planIn(layout, { path, resources, privileged, owner, notes: [] });
}

function planIn(layout: Exclude<CgroupLayout, { kind: "none" }>, request: Request): PlannedCgroup {
  return layout.kind === "v1" ? planV1(layout, request) : planV2(layout, request);
}

function isWritable(layout: CgroupLayout): boolean {
  if (layout.kind === "none") return false;
  if (layout.kind === "v2") return layout.writable;
  return layout.unified?.writable === true || layout.hierarchies.some(({ writable }) => writable);
}
