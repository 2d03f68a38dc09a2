import { SpecError } from "../../../spec/error.ts";
import { type CgroupLayout, type Hierarchy, isName, type Unified } from "../layout.ts";
import type { Limit } from "../limit.ts";
import type {
  ContainerView,
  PlannedDevices,
  PlannedDirectory,
  PlannedV1,
  PlannedWrite,
  ViewedHierarchy,
} from "../planned.ts";
import { type ControllerLimits, neededBy, type Request, rulesOf, unavailable } from "../request.ts";
import { compileDeviceRules } from "../v2/device-program.ts";
import { limitUnified } from "../v2/unified.ts";
import { limitDevices } from "./devices.ts";
import { limitsV1 } from "./limits.ts";

type Layout = Extract<CgroupLayout, { kind: "v1" }>;

/** One cgroup in every hierarchy; with a hybrid layout in that of version 2, too. Throws SpecError. */
export function planV1(layout: Layout, request: Request): PlannedV1 {
  refuseUnified(request);
  const { limits, program } = planLimits(layout, request);
  const directories: PlannedDirectory[] = [];
  const writes: PlannedWrite[] = [];
  for (const hierarchy of layout.hierarchies) {
    const own = limits
      .filter(({ controller }) => hierarchy.controllers.includes(controller))
      .flatMap((each) => each.limits);
    const directory = planDirectory(hierarchy, hierarchy.controllers.join(","), own, request);
    if (!directory) continue;
    directories.push(directory);
    for (const { file, value, property, dispensable } of own) {
      writes.push({ file: `${directory.path}/${file}`, value, property, dispensable });
    }
  }
  const unified = layout.unified && planDirectory(layout.unified, "", [], request);
  if (unified) directories.push(unified);
  return {
    kind: "v1",
    directories,
    writes,
    devices: unified && program ? { kind: "program", path: unified.path, ...program } : { kind: "none" },
    containerView: planView(layout.hierarchies, directories),
    notes: request.notes,
  };
}

function refuseUnified({ resources }: Request): void {
  const [first] = limitUnified(resources.unified ?? {});
  if (first) {
    throw new SpecError(
      first.property,
      "needs cgroup v2, and this machine's controllers belong to cgroup v1",
    );
  }
}

interface PlannedLimits {
  readonly limits: readonly ControllerLimits[];
  /** For a machine that has no controller of devices in version 1: distributions leave it out of their kernels. */
  readonly program: Pick<Extract<PlannedDevices, { kind: "program" }>, "instructions"> | undefined;
}

function planLimits(layout: Layout, request: Request): PlannedLimits {
  const available = layout.hierarchies.flatMap(({ controllers }) => controllers);
  const limits = limitsV1(request.resources);
  for (const { controller, limits: asked } of limits) {
    const [first] = asked;
    if (first && !available.includes(controller)) {
      throw unavailable(
        first.property,
        controller,
        available.filter((each) => !isName(each)),
      );
    }
  }
  const rules = rulesOf(request);
  if (rules.length === 0) return { limits, program: undefined };
  if (available.includes("devices")) {
    return {
      limits: [...limits, { controller: "devices", limits: limitDevices(rules) }],
      program: undefined,
    };
  }
  if (layout.unified) return { limits, program: { instructions: compileDeviceRules(rules) } };
  throw unavailable("linux.resources.devices", "devices", available);
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

/** The hierarchies of version 1, as runc shows them. */
function planView(
  hierarchies: readonly Hierarchy[],
  directories: readonly PlannedDirectory[],
): ContainerView {
  const viewed = hierarchies.map((hierarchy): ViewedHierarchy => {
    const { controllers, mountpoint, own } = hierarchy;
    const joined = controllers.join(",");
    const planned = directories.find((directory) => directory.controllers === joined);
    const directory = mountpoint.slice(mountpoint.lastIndexOf("/") + 1);
    return {
      directory,
      // One that the container may have to do without is not there to be shown.
      path: planned && planned.neededBy !== "" ? planned.path : mountpoint + (own === "/" ? "" : own),
      options: controllers.map((each) => (isName(each) ? `none,${each}` : each)).join(","),
      type: "cgroup",
      links: controllers.filter((each) => !isName(each) && each !== directory),
    };
  });
  return { kind: "v1", hierarchies: viewed };
}
