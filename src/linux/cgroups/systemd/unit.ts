// The unit that linux.cgroupsPath names when systemd makes the cgroups. Pure.
import { SpecError, wrong } from "../../../spec/error.ts";

const property = "linux.cgroupsPath";

/** Where a container's scope is among systemd's units. */
export interface ScopeName {
  /** Name of the slice: "machine.slice". */
  readonly slice: string;
  /** Name of the scope: "libpod-0123.scope". */
  readonly unit: string;
  /** The slice's place in the hierarchies, "/a.slice/a-b.slice"; "" for the root slice. */
  readonly slicePath: string;
}

/**
 * Reads linux.cgroupsPath as slice:prefix:name. As runc and crun do, the unit is `prefix-name.scope`.
 * @param path an empty or absent one stands for `bunc-ID.scope` in the default slice
 * @param defaultSlice for a path without one
 * Throws SpecError for another form, and for names that systemd does not take.
 */
export function readScopeName(path: string | undefined, id: string, defaultSlice: string): ScopeName {
  const [slice = "", prefix = "", name = "", ...more] = path ? path.split(":") : ["", "bunc", escapeName(id)];
  if (name === "" || more.length > 0) {
    throw wrong(property, path, "slice:prefix:name, as the cgroups are made by systemd");
  }
  if (name.endsWith(".slice")) throw wrong(property, path, "the name of a scope: a slice has no processes");
  const unit = `${prefix}-${name}.scope`;
  const wholeSlice = slice === "" ? defaultSlice : slice;
  refuseUnknown(unit, path);
  refuseUnknown(wholeSlice, path);
  return { slice: wholeSlice, unit, slicePath: pathOfSlice(wholeSlice) };
}

/** systemd nests slices by their dashes: a-b.slice lies in a.slice. systemd.slice(5). The root slice is `-.slice`. */
export function pathOfSlice(slice: string): string {
  if (!slice.endsWith(".slice")) throw wrong(property, slice, "the name of a slice, which ends with .slice");
  const name = slice.slice(0, -".slice".length);
  if (name === "-") return "";
  const parts = name.split("-");
  if (parts.includes(""))
    throw wrong(property, slice, "the name of a slice, with a name before and after each dash");
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("-")}.slice`).join("");
}

/** systemd.unit(5): letters, digits and :-_.\ and at most 255 of them. An @ would make it an instance of a template. */
function refuseUnknown(unit: string, path: string | undefined): void {
  if (/^[\w:.\\-]{1,255}$/.test(unit)) return;
  throw new SpecError(
    property,
    `is ${JSON.stringify(path)}: ${JSON.stringify(unit)} is no name of a unit, which has at most 255 letters, digits and any of : - _ . \\`,
  );
}

/** What an id may have and a unit's name may not is written in hexadecimal, as systemd-escape(1) does. */
function escapeName(id: string): string {
  return id.replace(/[^\w.-]/g, (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
