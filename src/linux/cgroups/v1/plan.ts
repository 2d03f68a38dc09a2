import type { CgroupHierarchy } from "../../cgroup-view.ts";
import { type CgroupLayout, type Hierarchy, isName, type Unified } from "../layout.ts";
import type { Limit } from "../limit.ts";
import type { PlannedDevices, PlannedDirectory, PlannedV1, PlannedWrite } from "../planned.ts";
import {
  type ControllerLimits,
  controllersOf,
  neededBy,
  type Request,
  rulesOf,
  writesIn,
} from "../request.ts";
import { compileDeviceRules } from "../v2/device-program.ts";
import { pathIn as unifiedPathIn } from "../v2/plan.ts";
import { type Assigned, assign, lacking } from "./assign.ts";
import { limitDevices } from "./devices.ts";

type Layout = Extract<CgroupLayout, { kind: "v1" }>;

/** One cgroup in every hierarchy; with a hybrid layout in that of version 2, too. Throws SpecError. */
export function planV1(layout: Layout, request: Request): PlannedV1 {
  const { own, foreign, program } = planLimits(layout, request);
  const directories: PlannedDirectory[] = [];
  const early: PlannedWrite[] = [];
  const writes: PlannedWrite[] = [];
  const viewed: CgroupHierarchy[] = [];
  for (const hierarchy of layout.hierarchies) {
    const limits = limitsIn(hierarchy, own);
    const directory = planDirectory(hierarchy, hierarchy.controllers.join(","), limits, request);
    viewed.push(viewOf(hierarchy, directory));
    if (!directory) continue;
    directories.push(directory);
    for (const each of writesIn(directory.path, limits)) (isRealtime(each) ? early : writes).push(each);
  }
  const unified = layout.unified && planUnified(layout.unified, foreign, request);
  if (unified) {
    directories.push(unified);
    for (const { limits } of foreign) writes.push(...writesIn(unified.path, limits));
  }
  return {
    kind: "v1",
    directories,
    controllers: { needed: controllersOf(foreign), others: false, elsewhere: controllersIn(layout) },
    early,
    writes,
    devices: unified && program ? { kind: "program", path: unified.path, ...program } : { kind: "none" },
    scope: null,
    containerView: { kind: "v1", hierarchies: viewed },
    notes: [...request.notes, notesOn(directories)],
  };
}

function notesOn(directories: readonly PlannedDirectory[]): string {
  const [first] = directories;
  if (!first) return "the container has no cgroup: none can be made, and nothing needs one";
  return `the container's cgroups are to be ${first.path} and the same in ${directories.length - 1} further hierarchies`;
}

/** Realtime budgets, which are there before any process enters: see realtime.ts. */
function isRealtime({ file }: PlannedWrite): boolean {
  return file.includes("/cpu.rt_");
}

function limitsIn({ controllers }: Hierarchy, limits: readonly ControllerLimits[]): Limit[] {
  const own: Limit[] = [];
  for (const each of limits) if (controllers.includes(each.controller)) own.push(...each.limits);
  return own;
}

interface PlannedLimits extends Assigned {
  /** For a machine that has no controller of devices in version 1: distributions leave it out of their kernels. */
  readonly program: Pick<Extract<PlannedDevices, { kind: "program" }>, "instructions"> | undefined;
}

function planLimits(layout: Layout, request: Request): PlannedLimits {
  const available = controllersIn(layout);
  const assigned = assign(request.resources, available, layout.unified !== undefined);
  const rules = rulesOf(request);
  if (rules.length === 0) return { ...assigned, program: undefined };
  if (available.includes("devices")) {
    assigned.own.push({ controller: "devices", limits: limitDevices(rules) });
    return { ...assigned, program: undefined };
  }
  if (!layout.unified) throw lacking("linux.resources.devices", "devices", available);
  return { ...assigned, program: { instructions: compileDeviceRules(rules) } };
}

function controllersIn({ hierarchies }: Layout): string[] {
  const available: string[] = [];
  for (const { controllers } of hierarchies) available.push(...controllers);
  return available;
}

/** A limit needs controllers, which a cgroup with processes cannot give to those beneath it: see ../v2/plan.ts. */
function planUnified(
  place: Unified,
  foreign: readonly ControllerLimits[],
  request: Request,
): PlannedDirectory | undefined {
  const limits: Limit[] = [];
  for (const each of foreign) limits.push(...each.limits);
  const planned = planDirectory(place, "", limits, request);
  if (limits.length === 0 || !planned) return planned;
  return { ...planned, path: unifiedPathIn(place, request, true) };
}

/** undefined when it cannot be made and nothing needs it. */
function planDirectory(
  place: Unified,
  controllers: string,
  limits: readonly Limit[],
  request: Request,
): PlannedDirectory | undefined {
  const needed = neededBy(request, limits);
  if (needed === "" && !place.writable) return undefined;
  const { mountpoint } = place;
  return {
    controllers,
    mountpoint,
    path: pathIn(place, request),
    neededBy: needed,
    fresh: request.path.kind === "default",
  };
}

function pathIn({ mountpoint, own }: Unified, { path }: Request): string {
  const parent = own === "/" ? mountpoint : mountpoint + own;
  switch (path.kind) {
    case "default":
      return `${parent}/${path.name}`;
    case "relative":
      return parent + path.path;
    case "absolute":
      return mountpoint + path.path;
  }
}

/** A hierarchy of version 1 as the container sees it. */
function viewOf(
  { controllers, mountpoint, own }: Hierarchy,
  planned: PlannedDirectory | undefined,
): CgroupHierarchy {
  const directory = mountpoint.slice(mountpoint.lastIndexOf("/") + 1);
  const links: string[] = [];
  const options: string[] = [];
  for (const each of controllers) {
    options.push(isName(each) ? `none,${each}` : each);
    if (!isName(each) && each !== directory) links.push(each);
  }
  return {
    directory,
    // One that the container may have to do without is not there to be shown.
    path: planned && planned.neededBy !== "" ? planned.path : mountpoint + (own === "/" ? "" : own),
    options: options.join(","),
    type: "cgroup",
    links,
  };
}
