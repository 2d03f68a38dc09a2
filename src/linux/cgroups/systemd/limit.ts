// What a scope is told of its container's limits, beside what is written to the container's own cgroup.
import { readText } from "../../../../ffi/file.ts";
import { BusError } from "../../../../ffi/sd-bus.ts";
import type { BusProperty } from "../../../../ffi/structs/bus-value.ts";
import { SpecError } from "../../../spec/error.ts";
import type { CgroupRecord, RecordedScope } from "../cgroup-record.ts";
import type { FileValue } from "../limit.ts";
import { Manager, versionOf } from "./manager.ts";
import { propertiesOf } from "./properties.ts";

/** Sets limits of a scope. Throws SpecError that says what systemd says. */
export function limitScope({ unit, bus }: RecordedScope, properties: readonly BusProperty[]): void {
  if (properties.length === 0) return;
  try {
    using manager = new Manager(bus);
    manager.setProperties(unit, properties);
  } catch (cause) {
    throw explain(unit, cause);
  }
}

/**
 * Sets the limits of a scope to what its container's cgroup gets: `update`.
 * Throws SpecError that says what systemd says.
 */
export function updateScope(record: CgroupRecord, writes: readonly FileValue[]): void {
  if (!record.scope) return;
  const { unit, bus } = record.scope;
  try {
    using manager = new Manager(bus);
    const properties = propertiesOf(withOtherHalf(writes), {
      unified: record.kind === "v2",
      version: versionOf(manager),
    });
    if (properties.length > 0) manager.setProperties(unit, properties);
  } catch (cause) {
    throw explain(unit, cause);
  }
}

const quotaFiles = ["cpu.cfs_quota_us", "cpu.cfs_period_us"];

/** A quota and its period are two files in version 1, and of each other's making in systemd. */
function withOtherHalf(writes: readonly FileValue[]): readonly FileValue[] {
  const given = writes.find(({ file }) => quotaFiles.some((name) => file.endsWith(`/${name}`)));
  if (!given) return writes;
  const directory = given.file.slice(0, given.file.lastIndexOf("/"));
  const both = quotaFiles.map((name) => `${directory}/${name}`);
  const others = both.filter((path) => !writes.some(({ file }) => file === path));
  return [...writes, ...others.map((file) => ({ file, value: readText(file).trim() }))];
}

function explain(unit: string, cause: unknown): unknown {
  if (!(cause instanceof BusError)) return cause;
  return new SpecError("linux.resources", `could not be set for the scope ${unit}`, { cause });
}
