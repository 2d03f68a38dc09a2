import { ERRNO } from "../../../ffi/constants/errno.ts";
import { ACCESS, AT } from "../../../ffi/constants/file.ts";
import { attempt, failure } from "../../../ffi/libc.ts";
import { SpecError } from "../../spec/error.ts";
import type { CgroupRecord, RecordedDirectory } from "./cgroup-record.ts";
import type {
  PlannedCgroup,
  PlannedControllers,
  PlannedDirectory,
  PlannedV1,
  PlannedV2,
  ScopedPlan,
} from "./planned.ts";

/** Failures that mean: this caller may not have a cgroup here. */
const refusals: readonly number[] = [ERRNO.EACCES, ERRNO.EPERM, ERRNO.EROFS, ERRNO.ENOENT];

/**
 * Makes the container's cgroups, ready to be entered, but without limits. Returns what was made; null when there is
 * none, and the container can do without. Nothing is left behind when it fails.
 * Throws SpecError that names what needs the cgroup which cannot be made or used.
 */
export function createCgroup(plan: PlannedCgroup): CgroupRecord | null {
  if (plan.kind === "none") return null;
  const made: string[] = [];
  try {
    return plan.kind === "v1" ? createV1(plan, made) : createV2(plan, made);
  } catch (error) {
    for (const path of made) attempt.unlinkat(AT.FDCWD, path, AT.REMOVEDIR);
    throw error;
  }
}

/** Makes the cgroups of a container in its scope, which is there already, without controllers. Throws SyscallError. */
export function createInScope(plan: ScopedPlan): void {
  for (const directory of plan.kind === "v1" ? plan.directories : [plan.directory]) {
    const { path } = directory;
    const errno = makeDirectories(path);
    if (errno !== 0 && errno !== ERRNO.EEXIST) throw failure("mkdirat", [AT.FDCWD, path, 0o755], errno);
    if (plan.kind === "v1") prepareV1(directory, plan);
  }
}

/**
 * Turns controllers on for a container's cgroup in its scope: once no process is in the scope itself, for only cgroups
 * without any can have controllers beneath them. cgroups(7), "no internal processes". Throws SpecError, SyscallError.
 */
export function completeInScope(plan: ScopedPlan): void {
  if (plan.kind === "v2") {
    completeV2(plan);
    return;
  }
  const unified = plan.directories.find(({ controllers }) => controllers === "");
  if (unified) turnOn(unified, plan.controllers);
}

function createV1(plan: PlannedV1, made: string[]): CgroupRecord | null {
  const directories: RecordedDirectory[] = [];
  for (const directory of plan.directories) {
    if (!make(directory, made)) continue;
    const { controllers, path } = directory;
    directories.push({ controllers, path });
    prepareV1(directory, plan);
    if (controllers === "") turnOn(directory, plan.controllers);
  }
  return directories.length === 0 ? null : { kind: "v1", directories };
}

/** What the controllers of version 1 need before a process can enter. */
function prepareV1(directory: PlannedDirectory, { early }: PlannedV1): void {
  const { controllers } = directory;
  if (controllers.includes("cpuset")) {
    const { inheritCpuset } = require("./v1/inherit-cpuset.ts") as typeof import("./v1/inherit-cpuset.ts");
    inheritCpuset(directory);
  }
  if (early.length > 0 && controllers.split(",").includes("cpu")) {
    const { giveRealtime } = require("./v1/realtime.ts") as typeof import("./v1/realtime.ts");
    giveRealtime(directory, early);
  }
}

function createV2(plan: PlannedV2, made: string[]): CgroupRecord | null {
  if (!make(plan.directory, made)) return null;
  completeV2(plan);
  return { kind: "v2", path: plan.directory.path };
}

function completeV2({ directory, controllers, owner }: PlannedV2): void {
  turnOn(directory, controllers);
  if (owner !== undefined) {
    const { giveAway } = require("./v2/give-away.ts") as typeof import("./v2/give-away.ts");
    giveAway(directory.path, owner);
  }
}

function turnOn(directory: PlannedDirectory, controllers: PlannedControllers): void {
  if (!controllers.others && controllers.needed.length === 0) return;
  const { enableControllers } = require("./v2/controllers.ts") as typeof import("./v2/controllers.ts");
  enableControllers(directory, controllers);
}

/** Makes one cgroup. Returns whether it is there and can be entered; its path joins `made` when it was not there. */
function make(directory: PlannedDirectory, made: string[]): boolean {
  const { path, neededBy, controllers } = directory;
  const errno = makeAnew(directory);
  if (errno === ERRNO.EEXIST) {
    const { refuseUsed } = require("./used.ts") as typeof import("./used.ts");
    refuseUsed(path);
    return true;
  }
  if (errno === 0) {
    if (neededBy !== "" || controllers !== "" || mayEnter(path)) {
      made.push(path);
      return true;
    }
    attempt.unlinkat(AT.FDCWD, path, AT.REMOVEDIR);
    return false;
  }
  if (neededBy === "" && refusals.includes(errno)) return false;
  throw new SpecError(neededBy || "linux.cgroupsPath", `needs the cgroup ${path}, which could not be made`, {
    cause: failure("mkdirat", [AT.FDCWD, path, 0o755], errno),
  });
}

/** Returns 0, or the error number; EEXIST for one that is not ours to replace, or that is in use. */
function makeAnew({ path, fresh }: PlannedDirectory): number {
  const errno = makeDirectories(path);
  if (errno !== ERRNO.EEXIST || !fresh) return errno;
  // An empty one under our own name may still have the limits of a container that is gone.
  return attempt.unlinkat(AT.FDCWD, path, AT.REMOVEDIR) === 0 ? makeDirectories(path) : errno;
}

/** mkdir -p. Returns 0, or the error number; EEXIST when the last one is there already. */
function makeDirectories(path: string): number {
  const result = attempt.mkdirat(AT.FDCWD, path, 0o755);
  if (result !== -ERRNO.ENOENT) return -result;
  const above = makeDirectories(path.slice(0, path.lastIndexOf("/")));
  if (above !== 0 && above !== ERRNO.EEXIST) return above;
  return -attempt.mkdirat(AT.FDCWD, path, 0o755);
}

/** Version 2 lets a process move only if the caller may write to what lies above both places. cgroups(7), "Delegation". */
function mayEnter(path: string): boolean {
  const above = `${path.slice(0, path.lastIndexOf("/"))}/cgroup.procs`;
  return attempt.faccessat2(AT.FDCWD, above, ACCESS.W_OK, AT.EACCESS) === 0;
}
