/** runtime-spec, config-linux.md, "Cgroups Path" and "Control groups". */
import { joinPath } from "../spec/describe.ts";
import { SpecError, wrong } from "../spec/error.ts";
import type { Config } from "../spec/types.ts";

/** In systemd's form, slice:prefix:name, the parts are names too. */
export function cgroupsPathStaysInside(config: Config): void {
  const path = config.linux?.cgroupsPath;
  if (path?.includes("..") && path.split(/[/:]/).includes(".."))
    throw wrong("linux.cgroupsPath", path, "a path without ..");
  if (path?.includes("\n")) throw wrong("linux.cgroupsPath", path, "a path without line breaks");
  if (path?.split("/").some((name) => name.length > 255))
    throw wrong("linux.cgroupsPath", path, "a path of names with 255 bytes at most");
}

/**
 * Files of cgroups that are no limits. A pid in one of the first two would leave its own cgroup for the container's: any
 * process, the machine's first included. The others stop or end the container, or take away what bunc has set up.
 */
const NO_LIMITS: ReadonlySet<string> = new Set([
  "cgroup.procs",
  "cgroup.threads",
  "cgroup.freeze",
  "cgroup.kill",
  "cgroup.type",
  "cgroup.subtree_control",
]);

export function unifiedKeysAreFiles(config: Config): void {
  for (const key of Object.keys(config.linux?.resources?.unified ?? {})) {
    if (NO_LIMITS.has(key)) {
      throw new SpecError(
        joinPath("linux.resources.unified", key),
        "is no limit: it must be a file of a controller, such as memory.high, or cgroup.max.depth",
      );
    }
    if (key.includes("/") || key.indexOf(".") < 1) {
      throw new SpecError(
        joinPath("linux.resources.unified", key),
        "names no cgroup file: it must be CONTROLLER.FILE, such as memory.high",
      );
    }
  }
}

/** -1 is no limit; the kernel knows no other negative number, and speaks of another limit when it gets one. */
export function memoryIsCounted(config: Config): void {
  const { memory } = config.linux?.resources ?? {};
  if (!memory) return;
  for (const key of ["limit", "reservation", "swap", "kernel", "kernelTCP"] as const) {
    const value = memory[key];
    if (value !== undefined && value < -1n)
      throw wrong(`linux.resources.memory.${key}`, value, "a number of bytes, or -1 for no limit");
  }
}

/** `swap` is memory and swap together. */
export function swapCoversMemory(config: Config): void {
  const { limit, swap } = config.linux?.resources?.memory ?? {};
  if (limit === undefined || swap === undefined || swap <= 0n || swap >= limit) return;
  throw wrong(
    "linux.resources.memory.swap",
    swap,
    `${limit} (the memory limit) or more, for it is memory and swap`,
  );
}
