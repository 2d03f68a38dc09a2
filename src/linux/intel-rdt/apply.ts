import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT } from "../../../ffi/constants/file.ts";
import { SyscallError } from "../../../ffi/error.ts";
import { exists, readText, writeValue } from "../../../ffi/file.ts";
import { attempt, failure } from "../../../ffi/libc.ts";
import { SpecError } from "../../spec/error.ts";
import { type IntelRdtRecord, joinIntelRdt, leaveIntelRdt } from "./groups.ts";
import type { PlannedIntelRdt } from "./plan.ts";
import { disagreement } from "./schemata.ts";

/** The record of what enterIntelRdt is about to make: leaveIntelRdt takes it, whatever became of it. */
export function describeIntelRdt({ path, kind, monitor }: PlannedIntelRdt): IntelRdtRecord {
  const made = kind === "shared" && exists(path) ? "given" : kind;
  return { path, made, monitor };
}

/**
 * Makes the groups of a container, and puts its init into them, before it has executed anything. Nothing is left behind
 * when it fails. Throws SpecError that names the property.
 */
export function enterIntelRdt(plan: PlannedIntelRdt, pid: number): IntelRdtRecord {
  const record = describeIntelRdt(plan);
  try {
    makeClass(plan, record);
    makeMonitor(plan);
    enter(record, pid);
  } catch (error) {
    leaveIntelRdt(record);
    throw error;
  }
  return record;
}

function makeClass(plan: PlannedIntelRdt, { made }: IntelRdtRecord): void {
  const { path, schemata } = plan;
  if (made === "given") {
    if (!exists(path)) {
      throw new SpecError(
        "linux.intelRdt.closID",
        `names a class that is not there: make ${path}, or give a schema to make it with`,
      );
    }
    for (const each of schemata) compare(path, each.text, each.property);
    return;
  }
  const errno = -attempt.mkdirat(AT.FDCWD, path, 0o755);
  // One of its own name is the rest of a container that is gone.
  if (errno !== 0 && !(errno === ERRNO.EEXIST && made === "own")) {
    throw refused(plan, "linux.intelRdt", `needs ${path}, which could not be made`, [path, errno]);
  }
  writeSchemata(plan);
}

/** Writes the schemata of a class. Throws SpecError that names the property which the kernel refused. */
export function writeSchemata(plan: PlannedIntelRdt): void {
  const { path } = plan;
  for (const { text, property } of plan.schemata) {
    try {
      writeValue(`${path}/schemata`, text);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      const shown = JSON.stringify(text.trimEnd());
      throw refused(plan, property, `could not be set: ${path}/schemata does not take ${shown}`, error);
    }
  }
}

/** runtime-spec, config-linux.md, "IntelRdt": a class that is there already is not changed. */
function compare(path: string, asked: string, property: string): void {
  const difference = disagreement(asked, readText(`${path}/schemata`));
  if (difference === undefined) return;
  throw new SpecError(
    property,
    `does not agree with ${path}/schemata, where there is ${difference}: a class that is there already is not changed; ask for what it has, or choose another closID`,
  );
}

function makeMonitor(plan: PlannedIntelRdt): void {
  const { monitor } = plan;
  if (monitor === "") return;
  const errno = -attempt.mkdirat(AT.FDCWD, monitor, 0o755);
  if (errno === 0 || errno === ERRNO.EEXIST) return;
  const reason =
    errno === ERRNO.ENOENT
      ? "is true, and this machine's resctrl has no monitoring"
      : `needs ${monitor}, which could not be made`;
  throw refused(plan, "linux.intelRdt.enableMonitoring", reason, [monitor, errno]);
}

function enter(record: IntelRdtRecord, pid: number): void {
  try {
    joinIntelRdt(record, pid);
  } catch (cause) {
    throw new SpecError(
      "linux.intelRdt",
      `could not be applied: ${record.path} does not take the container`,
      {
        cause,
      },
    );
  }
}

/** With what the kernel has to say beside the error number. */
function refused(
  { mountpoint }: PlannedIntelRdt,
  property: string,
  reason: string,
  error: SyscallError | readonly [path: string, errno: number],
): SpecError {
  const file = `${mountpoint}/info/last_cmd_status`;
  const status = exists(file) ? readText(file).trim() : "";
  const told = status === "" || status === "ok" ? "" : `; the kernel says: ${status}`;
  const cause =
    error instanceof SyscallError ? error : failure("mkdirat", [AT.FDCWD, error[0], 0o755], error[1]);
  return new SpecError(property, reason + told, { cause });
}
