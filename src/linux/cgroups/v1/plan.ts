import { SpecError } from "../../../spec/error.ts";
import type { CgroupHierarchy } from "../../cgroup-view.ts";
import { type CgroupLayout, type Hierarchy, isName, type Unified } from "../layout.ts";
import type { Limit } from "../limit.ts";
import type { PlannedDevices, PlannedDirectory, PlannedV1, PlannedWrite } from "../planned.ts";
import { type ControllerLimits, neededBy, type Request, rulesOf, unavailable, writesIn } from "../request.ts";
import { compileDeviceRules } from "../v2/device-program.ts";
import { limitUnified } from "../v2/unified.ts";
import { limitDevices } from "./devices.ts";
import { limitsV1 } from "./limits.ts";

type Layout = Extract<CgroupLayout, { kind: "v1" }>;

/** One cgroup in every hierarchy; with a hybrid layout in that of version 2, too. Throws SpecError. */
export function planV1(layout: Layout, request: Request): PlannedV1 {
  if (request.resources.unified) refuseUnified(request.resources.unified);
  const { limits, program } = planLimits(layout, request);
  const directories: PlannedDirectory[] = [];
  const writes: PlannedWrite[] = [];
  const viewed: CgroupHierarchy[] = [];
  for (const hierarchy of layout.hierarchies) {
    const own = limitsIn(hierarchy, limits);
    const directory = planDirectory(hierarchy, hierarchy.controllers.join(","), own, request);
    viewed.push(viewOf(hierarchy, directory));
    if (!directory) continue;
    directories.push(directory);
    writes.push(...writesIn(directory.path, own));
  }
  const unified = layout.unified && planDirectory(layout.unified, "", [], request);
  if (unified) directories.push(unified);
  return {
    kind: "v1",
    directories,
    writes,
    devices: unified && program ? { kind: "program", path: unified.path, ...program } : { kind: "none" },
    containerView: { kind: "v1", hierarchies: viewed },
    notes: request.notes,
  };
}

function limitsIn({ controllers }: Hierarchy, limits: readonly ControllerLimits[]): Limit[] {
  const own: Limit[] = [];
  for (const each of limits) if (controllers.includes(each.controller)) own.push(...each.limits);
  return own;
}

function refuseUnified(unified: Readonly<Record<string, string>>): void {
  const [first] = limitUnified(unified);
  if (!first) return;
  throw new SpecError(first.property, "needs cgroup v2, and this machine's controllers belong to cgroup v1");
}

interface PlannedLimits {
  readonly limits: readonly ControllerLimits[];
  /** For a machine that has no controller of devices in version 1: distributions leave it out of their kernels. */
  readonly program: Pick<Extract<PlannedDevices, { kind: "program" }>, "instructions"> | undefined;
}

function planLimits({ hierarchies, unified }: Layout, request: Request): PlannedLimits {
  const available: string[] = [];
  for (const { controllers } of hierarchies) available.push(...controllers);
  const limits = limitsV1(request.resources);
  for (const { controller, limits: asked } of limits) {
    if (!available.includes(controller)) throw lacking(asked[0]?.property ?? "", controller, available);
  }
  const rules = rulesOf(request);
  if (rules.length === 0) return { limits, program: undefined };
  if (available.includes("devices")) {
    limits.push({ controller: "devices", limits: limitDevices(rules) });
    return { limits, program: undefined };
  }
  if (!unified) throw lacking("linux.resources.devices", "devices", available);
  return { limits, program: { instructions: compileDeviceRules(rules) } };
}

function lacking(property: string, controller: string, available: readonly string[]): SpecError {
  const controllers = available.filter((each) => !isName(each));
  return unavailable(property, controller, controllers);
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
