import type { CgroupLayout, Unified } from "../layout.ts";
import type { Limit } from "../limit.ts";
import type {
  PlannedControllers,
  PlannedDevices,
  PlannedDirectory,
  PlannedNoCgroup,
  PlannedV2,
} from "../planned.ts";
import {
  type ControllerLimits,
  controllersOf,
  neededBy,
  type Request,
  rulesOf,
  writesIn,
} from "../request.ts";
import { compileDeviceRules } from "./device-program.ts";
import { limitsV2 } from "./limits.ts";

type Layout = Extract<CgroupLayout, { kind: "v2" }>;

/** One cgroup, with the controllers that the limits need. Throws SpecError. */
export function planV2(layout: Layout, request: Request): PlannedV2 | PlannedNoCgroup {
  const { mountpoint, own, writable } = layout;
  const limits = limitsV2(request.resources);
  const asked: Limit[] = [];
  for (const each of limits) asked.push(...each.limits);
  const needed = neededBy(request, asked);
  const ownPath = own === "/" ? mountpoint : mountpoint + own;
  if (needed === "" && !writable) {
    return {
      kind: "none",
      containerView: { kind: "v2", path: ownPath },
      notes: [...request.notes, "the container has no cgroup: the file system is mounted read-only"],
    };
  }
  const controllers = planControllers(limits, request);
  const path = pathIn(layout, request, controllers.needed.length > 0);
  const directory: PlannedDirectory = {
    controllers: "",
    mountpoint,
    path,
    neededBy: needed,
    fresh: request.path.kind === "default",
  };
  return {
    kind: "v2",
    directory,
    controllers,
    owner: request.owner,
    writes: writesIn(path, asked),
    devices: planDevices(path, request),
    scope: null,
    // One that the container may have to do without is not there to be shown.
    containerView: { kind: "v2", path: needed === "" ? ownPath : path },
    notes: [...request.notes, `the container's cgroup is to be ${path}`],
  };
}

/**
 * A caller that names a path reads from it what the container uses, too; otherwise only what is needed is turned on: it
 * is the caller's own part of the hierarchy that changes.
 */
function planControllers(limits: readonly ControllerLimits[], { path }: Request): PlannedControllers {
  return { needed: controllersOf(limits), others: path.kind !== "default", elsewhere: [] };
}

/**
 * By default beneath the caller's own cgroup, whose limits it stays in. But a cgroup with processes in it, as the caller's
 * is, can have no controllers for those beneath it (cgroups(7), "no internal processes"): with limits, beside it.
 */
export function pathIn({ mountpoint, own }: Unified, { path }: Request, limited: boolean): string {
  if (path.kind === "absolute") return mountpoint + path.path;
  const parent = own.slice(0, own.lastIndexOf("/"));
  const above = limited || own === "/" ? parent : own;
  return mountpoint + above + (path.kind === "default" ? `/${path.name}` : path.path);
}

function planDevices(path: string, request: Request): PlannedDevices {
  const rules = rulesOf(request);
  return rules.length === 0
    ? { kind: "none" }
    : { kind: "program", path, instructions: compileDeviceRules(rules) };
}
