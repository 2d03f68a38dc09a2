import { SpecError } from "../spec/error.ts";
import type { Config } from "../spec/types.ts";

/** A property that is understood but not applied yet, and how to read it. */
type Row = readonly [path: string, read: (config: Config) => unknown];

/** Remove a line when its property is applied. */
const NOT_YET: readonly Row[] = [["vm", (c) => c.vm]];

/**
 * Refuses by name what config.json asks for and this version does not apply: nothing is skipped in silence.
 * What is empty, zero or false asks for nothing.
 *
 * @throws SpecError, as in `linux.intelRdt is not supported yet`.
 */
export function refuseUnsupported(config: Config): void {
  for (const [path, read] of NOT_YET) if (asks(read(config))) throw notYet(path);
}

/** Whether a property is applied; `isSupported("linux.intelRdt")`. */
export function isSupported(path: string): boolean {
  return !NOT_YET.some(([each]) => each === path);
}

function notYet(path: string): SpecError {
  return new SpecError(path, "is not supported yet");
}

/** Whether a value asks for anything; of a list every item does, of an object any of its members. */
function asks(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.values(value).some(asks);
  return Boolean(value);
}
