import { ERRNO } from "../../../ffi/constants/errno.ts";
import { SyscallError } from "../../../ffi/error.ts";
import { readText, writeValue } from "../../../ffi/file.ts";
import { SpecError } from "../../spec/error.ts";
import type { FileValue } from "./limit.ts";
import type { PlannedWrite } from "./planned.ts";

/**
 * Writes limits to the files of a cgroup. Some depend on others (memory with swap may not be below memory, burst not above
 * the quota), and which must come first depends on what the cgroup has now: what the kernel refuses as invalid is tried
 * again after the rest. Throws SpecError that names the property which the kernel refused.
 */
export function writeLimits(writes: readonly PlannedWrite[]): void {
  for (const planned of writes) if (planned.usage.length > 0) refuseBelowUsage(planned);
  let pending = writes;
  for (;;) {
    const refused: Refused[] = [];
    for (const planned of pending) {
      const again = write(planned);
      if (again) refused.push(again);
    }
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
  const cause = attemptWrite(planned);
  if (!cause) {
    if (planned.verified) readBack(planned);
    return undefined;
  }
  if (cause.errno === ERRNO.EINVAL) return { write: planned, cause };
  if (cause.errno !== ERRNO.ENOENT) throw explain(planned, cause);
  if (planned.otherwise) return write({ ...planned, ...planned.otherwise, otherwise: undefined });
  if (planned.dispensable) return undefined;
  throw explain(planned, cause);
}

function attemptWrite({ file, value }: FileValue): SyscallError | undefined {
  try {
    writeValue(file, value);
    return undefined;
  } catch (error) {
    if (error instanceof SyscallError) return error;
    throw error;
  }
}

/** The kernel rounds down to pages, but what is above the value is not what was asked for. */
function readBack({ property, file, value }: PlannedWrite): void {
  const kept = readText(file).trim();
  if (BigInt(kept) <= BigInt(value)) return;
  throw new SpecError(
    property,
    `is not kept by this kernel: ${file} was given ${value} and still says ${kept}; leave it out, linux.resources.memory.limit counts the kernel's memory, too`,
  );
}

/** runtime-spec, config-linux.md, "Memory", checkBeforeUpdate: version 2 would kill processes until usage fits. */
function refuseBelowUsage({ property, value, usage }: PlannedWrite): void {
  if (value === "max") return;
  let used = 0n;
  for (const file of usage) used += BigInt(readText(file).trim());
  if (BigInt(value) >= used) return;
  throw new SpecError(
    property,
    `is ${value}, and the container uses ${used} already: the kernel would kill its processes; free memory first, or leave linux.resources.memory.checkBeforeUpdate out`,
  );
}

function explain({ property, file, value }: PlannedWrite, cause: SyscallError): SpecError {
  const reason =
    cause.errno === ERRNO.ENOENT
      ? `needs ${file}, which this kernel does not have`
      : `could not be set: ${file} does not take ${value || '""'}`;
  return new SpecError(property, reason, { cause });
}
