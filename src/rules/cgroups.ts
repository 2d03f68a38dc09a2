/** runtime-spec, config-linux.md, "Cgroups Path" and "Control groups". */
import { joinPath } from "../spec/describe.ts";
import { SpecError, wrong } from "../spec/error.ts";
import type { Config } from "../spec/types.ts";

/** In systemd's form, slice:prefix:name, the parts are names too. */
export function cgroupsPathStaysInside(config: Config): void {
  const path = config.linux?.cgroupsPath;
  if (path?.includes("..") && path.split(/[/:]/).includes(".."))
    throw wrong("linux.cgroupsPath", path, "a path without ..");
}

export function unifiedKeysAreFiles(config: Config): void {
  for (const key of Object.keys(config.linux?.resources?.unified ?? {})) {
    if (key.includes("/") || key.indexOf(".") < 1) {
      throw new SpecError(
        joinPath("linux.resources.unified", key),
        "names no cgroup file: it must be CONTROLLER.FILE, such as memory.high",
      );
    }
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
