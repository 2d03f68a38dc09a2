import { BusError } from "../../../../ffi/sd-bus.ts";
import { SpecError } from "../../../spec/error.ts";
import { type CgroupRecord, unifiedPath } from "../cgroup-record.ts";
import { scopeDirectories } from "./destroy.ts";
import { Manager } from "./manager.ts";

/**
 * Has systemd move a process into a container's cgroup, in its scope. A user's systemd asks the machine's one, which may
 * write everywhere. Throws SpecError that says what systemd says.
 */
export function attachToScope(record: CgroupRecord, pid: number): void {
  const path = unifiedPath(record);
  if (!record.scope || path === undefined) return;
  const { unit, bus } = record.scope;
  const [scope = path] = scopeDirectories(record, unit);
  try {
    using manager = new Manager(bus);
    manager.attach(unit, path.slice(scope.length) || "/", pid);
  } catch (cause) {
    if (!(cause instanceof BusError)) throw cause;
    throw new SpecError("linux.cgroupsPath", `has the scope ${unit}, into which systemd moved no process`, {
      cause,
    });
  }
}
