// The scope of systemd that a container's cgroups are in. Pure.
import { type BusProperty, busBoolean, busText } from "../../../../ffi/structs/bus-value.ts";
import { SpecError } from "../../../spec/error.ts";
import type { CgroupPath } from "../path.ts";
import type { PlannedCgroup, PlannedScope, PlannedV1, PlannedV2 } from "../planned.ts";
import { annotatedProperties, subgroupAnnotation } from "./annotations.ts";
import type { SystemdFacts } from "./facts.ts";
import { propertiesOf } from "./properties.ts";
import { readScopeName } from "./unit.ts";

type Running = Extract<SystemdFacts, { kind: "running" }>;

/** A scope that is to be, and where in the hierarchies. */
export interface ScopePlace {
  /** Without its limits, which depend on the layout. */
  readonly scope: PlannedScope;
  /** The container's cgroup. */
  readonly path: CgroupPath;
}

const defaultSubgroup = "container";

/**
 * Decides which scope a container gets.
 * @param cgroupsPath linux.cgroupsPath: slice:prefix:name
 * Throws SpecError that names the property or annotation which cannot be.
 */
export function placeScope(
  cgroupsPath: string | undefined,
  annotations: Readonly<Record<string, string>>,
  { id, systemd }: { readonly id: string; readonly systemd: Running },
): ScopePlace {
  const name = readScopeName(cgroupsPath, id, systemd.bus === "user" ? "user.slice" : "system.slice");
  const subgroup = subgroupOf(annotations);
  const path = `${systemd.controlGroup}${name.slicePath}/${name.unit}`;
  return {
    scope: {
      unit: name.unit,
      bus: systemd.bus,
      path,
      start: [
        { name: "Description", value: busText(`bunc container ${id}`) },
        { name: "Slice", value: busText(name.slice) },
        // The scope's inside is the container's: systemd leaves it alone. systemd.resource-control(5), "Delegate=".
        { name: "Delegate", value: busBoolean(true) },
        // Otherwise it would be stopped with everything else at the beginning of a shutdown.
        { name: "DefaultDependencies", value: busBoolean(false) },
        // A scope that has failed goes away by itself, too. Since systemd 236.
        { name: "CollectMode", value: busText("inactive-or-failed") },
        ...["MemoryAccounting", "CPUAccounting", "IOAccounting", "TasksAccounting"].map((each) => ({
          name: each,
          value: busBoolean(true),
        })),
        // Last, so that they win.
        ...annotatedProperties(annotations),
      ],
      limits: [],
    },
    path: { kind: "absolute", path: subgroup === "" ? path : `${path}/${subgroup}` },
  };
}

function subgroupOf(annotations: Readonly<Record<string, string>>): string {
  const name = annotations[subgroupAnnotation] ?? defaultSubgroup;
  if (/^[\w.-]*$/.test(name) && name !== "." && name !== ".." && !name.startsWith("cgroup.")) return name;
  throw new SpecError(
    `annotations["${subgroupAnnotation}"]`,
    `is ${JSON.stringify(name)}: it must be the name of one directory, or empty for none`,
  );
}

/** A plan for that path, in the scope. Throws SpecError when the layout cannot have it so. */
export function planInScope(
  planned: PlannedCgroup,
  { scope, path }: ScopePlace,
  version: number,
): PlannedCgroup {
  switch (planned.kind) {
    case "none":
      return planned;
    case "v1":
      return inV1(planned, { scope, path }, version);
    case "v2":
      return inV2(planned, { scope, path }, version);
  }
}

function inV1(planned: PlannedV1, { scope, path }: ScopePlace, version: number): PlannedV1 {
  if (path.kind === "absolute" && path.path === scope.path) {
    throw new SpecError(
      `annotations["${subgroupAnnotation}"]`,
      "is empty, which takes cgroup v2: with v1 systemd would set the rules of devices anew when it is reloaded",
    );
  }
  return { ...planned, scope: { ...scope, limits: limitsOf(planned, false, version) } };
}

function inV2(planned: PlannedV2, { scope }: ScopePlace, version: number): PlannedV2 {
  const { directory, controllers } = planned;
  const scopePath = `${directory.mountpoint}${scope.path}`;
  const own = directory.path === scopePath;
  return {
    ...planned,
    // Above the scope the controllers are systemd's.
    directory: { ...directory, mountpoint: scopePath },
    controllers: own ? { ...controllers, others: false } : controllers,
    scope: { ...scope, limits: limitsOf(planned, true, version) },
  };
}

function limitsOf({ writes }: PlannedV1 | PlannedV2, unified: boolean, version: number): BusProperty[] {
  return propertiesOf(writes, { unified, version });
}
