// What `update` writes to the cgroups of a container that is there already.
import { SyscallError } from "../../../ffi/error.ts";
import { exists, readText, writeValue } from "../../../ffi/file.ts";
import { SpecError } from "../../spec/error.ts";
import type { Resources } from "../../spec/types.ts";
import { type CgroupRecord, controllerPath, unifiedPath } from "./cgroup-record.ts";
import type { FileValue } from "./limit.ts";
import type { PlannedWrite } from "./planned.ts";
import { type ControllerLimits, controllersOf, writesIn } from "./request.ts";
import { assign } from "./v1/assign.ts";
import { complete } from "./v2/complete.ts";
import { enableControllers } from "./v2/controllers.ts";
import { limitsV2 } from "./v2/limits.ts";
import { writeLimits } from "./write.ts";

/**
 * Changes limits of a container; what `resources` does not name stays as it is. Rules of devices stay, whatever it says of
 * them, as with runc: callers hand over the whole of linux.resources when they mean one number, and a device that was
 * taken away for a moment would be missed.
 * @param record of the container's cgroups, as readCgroupRecord gives it
 * @param resources what `linux.resources` may be, in part; checked against the schema
 * @returns what was decided, for --debug
 * Throws SpecError that names the property which cannot be applied; then everything is as it was.
 */
export function updateLimits(record: CgroupRecord, resources: Resources): readonly string[] {
  const writes = record.kind === "v1" ? planV1(record, resources) : planV2(record.path, resources);
  const before = writes.map(({ file }) => ({ file, value: readBefore(file) }));
  const updateScope = (values: readonly FileValue[]) => {
    if (record.scope) scopeLimits().updateScope(record, values);
  };
  try {
    // A quota of version 1 may not be above that of the scope, nor the scope's below it: it is raised first, lowered last.
    if (record.kind === "v1") updateScope(writes);
    writeLimits(writes);
    updateScope(writes);
  } catch (error) {
    for (const { file, value } of before.toReversed()) restore(file, value);
    if (record.scope)
      quietly(() => updateScope(before.map(({ file, value = "" }) => ({ file, value: value.trim() }))));
    throw error;
  }
  const notes = writes.map(({ property, file, value }) => `${property}: ${value} to ${file}`);
  if (resources.devices) notes.push("linux.resources.devices: the rules of create stay");
  return notes;
}

const scopeLimits = () => require("./systemd/limit.ts") as typeof import("./systemd/limit.ts");

type V1 = Extract<CgroupRecord, { kind: "v1" }>;

function planV1(record: V1, resources: Resources): PlannedWrite[] {
  const available = record.directories.flatMap(({ controllers }) => controllers.split(","));
  const unified = unifiedPath(record);
  const { own, foreign } = assign(resources, available.filter(Boolean), unified !== undefined);
  const writes = own.flatMap(({ controller, limits }) =>
    writesIn(controllerPath(record, controller) ?? "", limits),
  );
  if (unified === undefined || foreign.length === 0) return writes;
  return [...writes, ...planUnified(unified, foreign, available)];
}

function planV2(path: string, resources: Resources): PlannedWrite[] {
  return planUnified(path, limitsV2(complete(resources, path)), []);
}

function planUnified(
  path: string,
  limits: readonly ControllerLimits[],
  elsewhere: readonly string[],
): PlannedWrite[] {
  const needed = controllersOf(limits);
  if (needed.length > 0) {
    enableControllers({ path, mountpoint: mountpointOf(path) }, { needed, others: false, elsewhere });
  }
  return limits.flatMap((each) => writesIn(path, each.limits));
}

/** The highest directory above a cgroup that is one, too. */
function mountpointOf(path: string): string {
  const above = path.slice(0, path.lastIndexOf("/"));
  return exists(`${above}/cgroup.controllers`) ? mountpointOf(above) : path;
}

/** undefined for a file that is not there, or that the kernel lets nobody read. */
function readBefore(file: string): string | undefined {
  try {
    return readText(file);
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}

function restore(file: string, value: string | undefined): void {
  for (const line of (value ?? "").trim().split("\n")) {
    if (line !== "") quietly(() => writeValue(file, line));
  }
}

/** As far as it can be done: the failure that led here is what the caller must hear of. */
function quietly(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof SyscallError) && !(error instanceof SpecError)) throw error;
  }
}
