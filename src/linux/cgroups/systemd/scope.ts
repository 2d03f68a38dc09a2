// What is done now with the scope of a container.
import { BusError } from "../../../../ffi/sd-bus.ts";
import type { BusProperty } from "../../../../ffi/structs/bus-value.ts";
import { SpecError } from "../../../spec/error.ts";
import type { RecordedScope } from "../cgroup-record.ts";
import { createInScope } from "../create.ts";
import type { ScopedPlan } from "../planned.ts";
import { Manager } from "./manager.ts";

/**
 * Starts a container's scope with its first process, and makes the container's own cgroups in it.
 * Throws SpecError that says what systemd says, and SyscallError.
 */
export function enterScope(plan: ScopedPlan, pid: number): void {
  if (!plan.scope) return;
  const { unit, bus, start } = plan.scope;
  try {
    using manager = new Manager(bus);
    manager.startScope(unit, start, pid);
  } catch (cause) {
    if (!(cause instanceof BusError)) throw cause;
    const taken = cause.error.endsWith(".UnitExists") ? ": another container has that name" : "";
    throw new SpecError(
      "linux.cgroupsPath",
      `needs the scope ${unit}, which systemd could not start${taken}`,
      { cause },
    );
  }
  createInScope(plan);
}

/**
 * Sets limits of a scope: also of one that has others already, for `update`.
 * Throws SpecError that says what systemd says.
 */
export function limitScope({ unit, bus }: RecordedScope, properties: readonly BusProperty[]): void {
  if (properties.length === 0) return;
  try {
    using manager = new Manager(bus);
    manager.setProperties(unit, properties);
  } catch (cause) {
    if (!(cause instanceof BusError)) throw cause;
    const names = properties.map(({ name }) => name).join(", ");
    throw new SpecError("linux.resources", `could not be set for the scope ${unit} (${names})`, { cause });
  }
}
