import type { SyscallError } from "../../../../ffi/error.ts";
import { readText, writeValue } from "../../../../ffi/file.ts";
import { SpecError } from "../../../spec/error.ts";
import type { PlannedControllers, PlannedDirectory } from "../planned.ts";
import { unavailable } from "../request.ts";

/**
 * Turns controllers on for a cgroup: in every cgroup above it, from the mount point down.
 * Documentation/admin-guide/cgroup-v2.rst, "Enabling and Disabling".
 * Throws SpecError that names the property which needs one that is not available.
 */
export function enableControllers(
  { path, mountpoint }: Pick<PlannedDirectory, "path" | "mountpoint">,
  { needed, others, elsewhere }: PlannedControllers,
): void {
  if (!others) {
    const works = readNames(`${path}/cgroup.controllers`);
    if (needed.every(({ name }) => works.includes(name))) return;
  }
  for (const directory of above(path, mountpoint)) {
    const available = readNames(`${directory}/cgroup.controllers`);
    const lacking = needed.find(({ name }) => !available.includes(name));
    if (lacking) throw unavailable(lacking.property, lacking.name, [...elsewhere, ...available]);
    const names = others ? available : needed.map(({ name }) => name);
    const enabled = readNames(`${directory}/cgroup.subtree_control`);
    enable(
      directory,
      names.filter((name) => !enabled.includes(name)),
      needed,
    );
  }
}

/** The cgroups above one, from the mount point down. */
function above(path: string, mountpoint: string): string[] {
  const parts = path.slice(mountpoint.length).split("/").slice(1, -1);
  return [mountpoint, ...parts.map((_, index) => `${mountpoint}/${parts.slice(0, index + 1).join("/")}`)];
}

function readNames(file: string): string[] {
  return readText(file)
    .split(/\s+/)
    .filter((name) => name !== "");
}

function enable(directory: string, names: readonly string[], needed: PlannedControllers["needed"]): void {
  if (names.length === 0) return;
  const file = `${directory}/cgroup.subtree_control`;
  try {
    writeValue(file, names.map((name) => `+${name}`).join(" "));
    return;
  } catch {
    // One write is all or nothing: what works by itself is better than nothing.
  }
  for (const name of names) {
    const asked = needed.find((each) => each.name === name);
    try {
      writeValue(file, `+${name}`);
    } catch (error) {
      if (!asked) continue;
      throw new SpecError(
        asked.property,
        `needs the ${name} controller, which could not be turned on in ${file}`,
        {
          cause: error as SyscallError,
        },
      );
    }
  }
}
