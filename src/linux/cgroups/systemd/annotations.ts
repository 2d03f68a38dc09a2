// Properties of the scope that annotations ask for: org.systemd.property.NAME. Pure.
import { type BusProperty, type BusValue, busUint64 } from "../../../../ffi/structs/bus-value.ts";
import { joinPath } from "../../../spec/describe.ts";
import { SpecError } from "../../../spec/error.ts";
import { parseVariant } from "./variant.ts";

/** Of the annotations that set properties of a scope. */
export const systemdPropertyPrefix = "org.systemd.property.";

/** As crun calls it: the cgroup in the scope that the container is in. What systemd sets is the scope's alone. */
export const subgroupAnnotation = "run.oci.systemd.subgroup";

/**
 * The properties. As in runc and crun a value is written as GVariant prints it, and a time may be given in seconds:
 * `TimeoutStopSec` with `uint64 5` is TimeoutStopUSec, in microseconds.
 * Throws SpecError for a value that cannot be read.
 */
export function annotatedProperties(annotations: Readonly<Record<string, string>>): BusProperty[] {
  const found: BusProperty[] = [];
  for (const [key, text] of Object.entries(annotations)) {
    if (key.startsWith(systemdPropertyPrefix))
      found.push(propertyOf(key, key.slice(systemdPropertyPrefix.length), text));
  }
  return found;
}

function propertyOf(key: string, name: string, text: string): BusProperty {
  const path = joinPath("annotations", key);
  if (!/^[A-Za-z]{3,}$/.test(name))
    throw new SpecError(path, `names no property of systemd: ${name} has to be letters, such as CollectMode`);
  const value = read(path, text);
  if (!/[a-z]Sec$/.test(name)) return { name, value };
  return { name: `${name.slice(0, -"Sec".length)}USec`, value: microseconds(path, text, value) };
}

function read(path: string, text: string): BusValue {
  try {
    return parseVariant(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SpecError(path, `is ${JSON.stringify(text)}, no value as GVariant writes them: ${reason}`);
  }
}

/** systemd counts every time in microseconds, in 64 bits without a sign. */
function microseconds(path: string, text: string, value: BusValue): BusValue {
  const count =
    value.kind === "integer"
      ? value.value * 1_000_000n
      : value.kind === "double" && Number.isFinite(value.value)
        ? BigInt(Math.round(value.value * 1_000_000))
        : -1n;
  if (count >= 0n && count < 1n << 64n) return busUint64(count);
  throw new SpecError(path, `is ${JSON.stringify(text)}: it must be a number of seconds`);
}
