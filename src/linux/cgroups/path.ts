// What linux.cgroupsPath means. Pure.
import { SpecError, wrong } from "../../spec/error.ts";

const property = "linux.cgroupsPath";

/** Where the container's cgroup is in every hierarchy. */
export type CgroupPath =
  /** Beneath the caller's own cgroup, under a name of ours. */
  | { readonly kind: "default"; readonly name: string }
  /** Beneath the caller's own cgroup. */
  | { readonly kind: "relative"; readonly path: string }
  /** From the mount point. */
  | { readonly kind: "absolute"; readonly path: string };

/**
 * Reads the property: absolute paths begin at the mount point, relative ones at the caller's own cgroup (runtime-spec,
 * config-linux.md, "Cgroups Path").
 * @param path linux.cgroupsPath; an empty one counts as absent
 * @param systemd whether slice:prefix:name is meant when it looks like that
 * Throws SpecError for a path that leads out of the hierarchy, or to its root.
 */
export function readCgroupsPath(path: string | undefined, id: string, systemd: boolean): CgroupPath {
  if (!path) return { kind: "default", name: `bunc-${id}` };
  const unit = systemd ? path.split(":") : [];
  const [slice, prefix, name] = unit;
  if (unit.length === 3 && slice !== undefined && prefix !== undefined && name) {
    refuseDots(
      unit.flatMap((part) => part.split("/")),
      path,
    );
    return { kind: "absolute", path: `${pathOfSlice(slice)}/${pathOfUnit(prefix, name)}` };
  }
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  refuseDots(parts, path);
  if (parts.length === 0) throw new SpecError(property, "is the root of the cgroups: it must lead below it");
  return path.startsWith("/")
    ? { kind: "absolute", path: `/${parts.join("/")}` }
    : { kind: "relative", path: `/${parts.join("/")}` };
}

function refuseDots(parts: readonly string[], path: string): void {
  if (parts.includes("..")) throw wrong(property, path, "a path without ..");
}

/** systemd nests slices by their dashes: a-b.slice lies in a.slice. systemd.slice(5). The root slice is `-.slice`. */
function pathOfSlice(slice: string): string {
  const name = (slice || "system.slice").replace(/\.slice$/, "");
  if (name === "-") return "";
  const parts = name.split("-");
  if (name.includes("/") || parts.includes("")) throw wrong(property, slice, "the name of a slice");
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("-")}.slice`).join("");
}

function pathOfUnit(prefix: string, name: string): string {
  if (prefix.includes("/") || name.includes("/")) throw wrong(property, name, "the name of a unit");
  if (name.endsWith(".slice")) return name;
  return `${prefix}-${name}.scope`;
}
