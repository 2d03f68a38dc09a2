import { SpecError } from "../../spec/error.ts";
import { isFrozen } from "./frozen.ts";
import { processesIn } from "./processes.ts";

/**
 * A container shares its cgroup with nobody: `delete` would kill the others, and limits would hit them. In a frozen one
 * it would never start. Throws SpecError for a cgroup that has processes, or is frozen.
 */
export function refuseUsed(path: string): void {
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
