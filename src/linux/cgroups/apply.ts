import { ERRNO } from "../../../ffi/constants/errno.ts";
import { SyscallError } from "../../../ffi/error.ts";
import { writeValue } from "../../../ffi/file.ts";
import { SpecError } from "../../spec/error.ts";
import type { PlannedCgroup, PlannedWrite } from "./planned.ts";

export { createCgroup } from "./create.ts";
export { enterCgroup, openCgroup } from "./enter.ts";

/**
 * Writes the limits of the container's cgroup. Best when init waits already: a limit of processes or of memory could
 * hinder the set-up. Throws SpecError that names the property which the kernel refused.
 */
export function applyLimits(plan: PlannedCgroup): void {
  if (plan.kind === "none") return;
  if (plan.devices.kind === "program") {
    const { attachDevices } = require("./v2/attach-devices.ts") as typeof import("./v2/attach-devices.ts");
    attachDevices(plan.devices.path, plan.devices.instructions);
  }
  writeAll(plan.writes);
}

/**
 * Some limits depend on others (memory with swap may not be below memory, burst not above the quota), and which must come
 * first depends on what the cgroup has now: what the kernel refuses as invalid is tried again after the rest.
 */
function writeAll(writes: readonly PlannedWrite[]): void {
  let pending = writes;
  for (;;) {
    const refused = pending.map(write).filter((each) => each !== undefined);
    const [first] = refused;
    if (!first) return;
    if (refused.length === pending.length) throw explain(first.write, first.cause);
    pending = refused.map((each) => each.write);
  }
}

interface Refused {
  readonly write: PlannedWrite;
  readonly cause: SyscallError;
}

/** Returns what may succeed later. */
function write(planned: PlannedWrite): Refused | undefined {
  try {
    writeValue(planned.file, planned.value);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.errno === ERRNO.ENOENT && planned.dispensable) return undefined;
    if (error.errno === ERRNO.EINVAL) return { write: planned, cause: error };
    throw explain(planned, error);
  }
}

function explain({ property, file, value }: PlannedWrite, cause: SyscallError): SpecError {
  return new SpecError(property, `could not be set: ${file} does not take ${value || '""'}`, { cause });
}
