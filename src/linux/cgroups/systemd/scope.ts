// What is done now with the scope of a container.
import { SyscallError } from "../../../../ffi/error.ts";
import { BusError } from "../../../../ffi/sd-bus.ts";
import { SpecError } from "../../../spec/error.ts";
import type { CgroupRecord } from "../cgroup-record.ts";
import { createInScope } from "../create.ts";
import { describeCgroup } from "../describe.ts";
import { destroyCgroup } from "../destroy.ts";
import type { ScopedPlan } from "../planned.ts";
import { processesIn } from "../processes.ts";
import { scopeDirectories } from "./destroy.ts";
import { Manager } from "./manager.ts";

/**
 * A scope is one container's alone: what stops it ends everything in it. Throws SpecError when it is there already.
 * systemd would refuse it, too; but then it has been announced as this container's.
 */
export function refuseTaken(plan: ScopedPlan): void {
  const record = describeCgroup(plan);
  if (!record?.scope) return;
  const { unit } = record.scope;
  for (const path of scopeDirectories(record, unit)) {
    if (processesIn(path).length > 0) throw taken(unit);
  }
}

function taken(unit: string, cause?: BusError): SpecError {
  return new SpecError(
    "linux.cgroupsPath",
    `leads to the scope ${unit}, which is there already: another container has that name`,
    { cause },
  );
}

/**
 * Starts a container's scope with its first process, and makes the container's own cgroups in it. Nothing stays of it
 * when that fails. Throws SpecError that says what systemd says, and SyscallError.
 */
export function enterScope(plan: ScopedPlan, pid: number): void {
  const record = describeCgroup(plan);
  if (!plan.scope || !record) return;
  const { unit, bus, start } = plan.scope;
  try {
    using manager = new Manager(bus);
    manager.startScope(unit, start, pid);
    createInScope(plan);
  } catch (cause) {
    // That one is another container's, and lives.
    if (cause instanceof BusError && cause.error.endsWith(".UnitExists")) throw taken(unit, cause);
    destroyQuietly(record);
    if (!(cause instanceof BusError)) throw cause;
    throw new SpecError("linux.cgroupsPath", `needs the scope ${unit}, which systemd could not start`, {
      cause,
    });
  }
}

/** As far as it can be done: why it is done is what the caller must hear of. */
function destroyQuietly(record: CgroupRecord): void {
  try {
    destroyCgroup(record);
  } catch (error) {
    if (!(error instanceof BusError) && !(error instanceof SyscallError)) throw error;
  }
}
