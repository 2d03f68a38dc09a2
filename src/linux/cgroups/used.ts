import { exists, readText } from "../../../ffi/file.ts";
import { SpecError } from "../../spec/error.ts";
import { isFrozen } from "./frozen.ts";
import { processesIn } from "./processes.ts";

/**
 * A container shares its cgroup with nobody: `delete` would kill the others, and limits would hit them. In a frozen one
 * it would never start, a threaded one takes no processes. Throws SpecError for a cgroup that has processes, is frozen, or
 * threaded.
 */
export function refuseUsed(path: string): void {
  const type = `${path}/cgroup.type`;
  if (exists(type) && readText(type).trim() !== "domain") refuseThreaded(path, readText(type).trim());
  const count = processesIn(path).length;
  if (count > 0) {
    const processes = count === 1 ? "a process" : `${count} processes`;
    throw new SpecError(
      "linux.cgroupsPath",
      `leads to ${path}, which has ${processes} already: a container needs an empty cgroup of its own`,
    );
  }
  const frozen =
    isFrozen({ kind: "v2", path }) ||
    isFrozen({ kind: "v1", directories: [{ controllers: "freezer", path }] });
  if (frozen) {
    throw new SpecError("linux.cgroupsPath", `leads to ${path}, which is frozen: thaw it, or choose another`);
  }
}

/** cgroups(7), "Threaded mode". A domain that is threaded beneath takes processes, but its limits are not the container's. */
function refuseThreaded(path: string, type: string): void {
  throw new SpecError(
    "linux.cgroupsPath",
    `leads to ${path}, whose cgroup.type is "${type}": a container needs one of type domain, outside of threaded cgroups`,
  );
}
