/** runtime-spec, config.md, "Mounts", and config-linux.md, "Masked Paths" and "Readonly Paths". */
import { SpecError, wrong } from "../spec/error.ts";
import type { Config, Mount } from "../spec/types.ts";

/** Options of mount(8) that change a mount which is there already, and so need neither type nor source. */
const CHANGES: readonly string[] = [
  "remount",
  "shared",
  "slave",
  "private",
  "unbindable",
  "rshared",
  "rslave",
  "rprivate",
  "runbindable",
];

/** A relative destination is taken from / (the specification deprecates it, but callers still write it). */
export function mountsHaveDestination(config: Config): void {
  for (const [index, { destination }] of (config.mounts ?? []).entries()) {
    if (destination === "") throw wrong(`mounts[${index}].destination`, "", "a path in the container");
  }
}

export function mountsHaveSource(config: Config): void {
  for (const [index, mount] of (config.mounts ?? []).entries()) {
    const options = mount.options ?? [];
    if (isBind(mount)) {
      if (!mount.source) throw wrong(`mounts[${index}].source`, mount.source, "the path that is bound");
    } else if (!mount.type && !options.some((option) => CHANGES.includes(option))) {
      throw wrong(`mounts[${index}].type`, mount.type, "a filesystem type, unless bind is among the options");
    }
  }
}

export function mountMappingsComeInPairs(config: Config): void {
  for (const [index, { uidMappings, gidMappings }] of (config.mounts ?? []).entries()) {
    const hasUids = Boolean(uidMappings?.length);
    if (hasUids === Boolean(gidMappings?.length)) continue;
    const [here, there] = hasUids ? ["gidMappings", "uidMappings"] : ["uidMappings", "gidMappings"];
    throw new SpecError(`mounts[${index}].${here}`, `is needed with ${there}: an id-mapped mount maps both`);
  }
}

export function coveredPathsAreAbsolute(config: Config): void {
  for (const key of ["maskedPaths", "readonlyPaths"] as const) {
    for (const [index, path] of (config.linux?.[key] ?? []).entries()) {
      if (!path.startsWith("/"))
        throw wrong(`linux.${key}[${index}]`, path, "an absolute path in the container");
    }
  }
}

function isBind(mount: Mount): boolean {
  const options = mount.options ?? [];
  return mount.type === "bind" || options.includes("bind") || options.includes("rbind");
}
