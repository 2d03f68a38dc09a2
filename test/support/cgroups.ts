/** Where the kernel keeps the control groups of this machine. */
import { existsSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";

const mountPoint = "/sys/fs/cgroup";

/** The directory of a v1 controller, or undefined when it has none (v2, or not in this kernel). */
export function controllerRoot(controller: string): string | undefined {
  const path = join(mountPoint, controller);
  return existsSync(join(path, "cgroup.procs")) || existsSync(join(path, "tasks")) ? path : undefined;
}

/** The directory of the cgroup2 hierarchy as the machine has it. */
export const unifiedRoot = existsSync(join(mountPoint, "cgroup.controllers"))
  ? mountPoint
  : join(mountPoint, "unified");

/** hierarchy (controllers joined by a comma, "" for v2) → path, from /proc/PID/cgroup */
export function groupsOf(pid: number | "self"): Map<string, string> {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").trimEnd().split("\n");
  return new Map(lines.map((line) => [line.split(":")[1] ?? "", line.split(":").slice(2).join(":")]));
}

/** Entries of a directory; none when it is gone: other containers' groups come and go meanwhile. */
function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Every directory of any hierarchy whose last part is `name`, or what a runtime makes of it as the id of a container. */
export function findGroups(name: string): string[] {
  const names = new Set([
    name,
    ...["bunc", "crun", "runc"].flatMap((kind) => [`${kind}-${name}`, `${kind}-${name}.scope`]),
  ]);
  const found: string[] = [];
  const walk = (directory: string, depth: number): void => {
    for (const entry of entriesOf(directory)) {
      const path = join(directory, entry);
      if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) continue;
      if (names.has(entry)) found.push(path);
      if (depth > 0) walk(path, depth - 1);
    }
  };
  walk(mountPoint, 6);
  return found;
}

/** Removes the empty groups of this path that a failed test may have left. */
export function removeGroups(path: string): void {
  for (const hierarchy of readdirSync(mountPoint)) {
    const directory = join(mountPoint, hierarchy, path);
    if (!existsSync(directory)) continue;
    for (const child of readdirSync(directory)) {
      if (statSync(join(directory, child)).isDirectory()) rmdirSync(join(directory, child));
    }
    rmdirSync(directory);
  }
}

/**
 * A character device that the machine has, that no runtime allows by default, and whose opening does nothing; as the
 * numbers of its kind.
 */
export function harmlessDevice(): { major: number; minor: number } | undefined {
  const misc = readFileSync("/proc/misc", "utf8");
  const minor = /^\s*(\d+) (fuse|loop-control|autofs)$/m.exec(misc)?.[1];
  return minor === undefined ? undefined : { major: 10, minor: Number(minor) };
}
