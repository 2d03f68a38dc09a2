import { SpecError } from "../../../spec/error.ts";
import { ACCESS_BITS, type AccessRule, isTotal } from "../device-rules.ts";
import { type Limit, limit } from "../limit.ts";

/**
 * The rules as version 1 understands them: everything is forbidden, or everything allowed, but for a list of exceptions.
 * A rule that takes back a part of an earlier exception has no form there: the kernel would ignore it, so it is refused.
 * Documentation/admin-guide/cgroup-v1/devices.rst.
 */
export function limitDevices(rules: readonly AccessRule[]): Limit[] {
  const start = rules.findLastIndex(isTotal);
  const basis = rules[start];
  const allowed = basis?.allow ?? false;
  let exceptions: AccessRule[] = [];
  for (const rule of rules.slice(start + 1).flatMap(byType)) {
    if (rule.allow === allowed) exceptions = exceptions.flatMap((exception) => takeBack(exception, rule));
    else exceptions.push(rule);
  }
  const property = basis?.property ?? "the default devices";
  return [
    // Forgets the exceptions, too.
    limit(allowed ? "devices.allow" : "devices.deny", "a", property),
    ...merge(exceptions).map((exception) =>
      limit(allowed ? "devices.deny" : "devices.allow", render(exception), exception.property),
    ),
  ];
}

/** Exceptions name one type. */
function byType(rule: AccessRule): AccessRule[] {
  if (rule.type !== "a") return [rule];
  return (["b", "c"] as const).map((type) => ({ ...rule, type }));
}

/** What is left of an exception after a later rule of the opposite kind. */
function takeBack(exception: AccessRule, rule: AccessRule): AccessRule[] {
  if ((exception.access & rule.access) === 0 || !overlap(exception, rule)) return [exception];
  if (!covers(rule, exception)) {
    const verb = rule.allow ? "allows" : "forbids";
    throw new SpecError(
      rule.property,
      `${verb} a part of what ${exception.property} is about, and cgroup v1 has no form for that: put the wider rule first, or name the devices one by one`,
    );
  }
  const access = exception.access & ~rule.access;
  return access === 0 ? [] : [{ ...exception, access }];
}

function overlap(one: AccessRule, other: AccessRule): boolean {
  const meet = (a: number, b: number) => a === b || a === -1 || b === -1;
  return one.type === other.type && meet(one.major, other.major) && meet(one.minor, other.minor);
}

function covers(wide: AccessRule, narrow: AccessRule): boolean {
  const cover = (a: number, b: number) => a === b || a === -1;
  return cover(wide.major, narrow.major) && cover(wide.minor, narrow.minor);
}

/** One exception for each device: each is a write. */
function merge(exceptions: readonly AccessRule[]): AccessRule[] {
  const merged = new Map<string, AccessRule>();
  for (const exception of exceptions) {
    const key = `${exception.type} ${exception.major}:${exception.minor}`;
    const access = (merged.get(key)?.access ?? 0) | exception.access;
    merged.set(key, { ...exception, access });
  }
  return [...merged.values()];
}

function render({ type, major, minor, access }: AccessRule): string {
  const number = (value: number) => (value === -1 ? "*" : String(value));
  const letters = (["r", "w", "m"] as const).filter((letter) => access & ACCESS_BITS[letter]);
  return `${type} ${number(major)}:${number(minor)} ${letters.join("")}`;
}
