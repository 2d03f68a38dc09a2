import { SpecError } from "../../../spec/error.ts";
import { ACCESS_BITS, type AccessRule, isTotal } from "../device-rules.ts";
import { type Limit, limit } from "../limit.ts";

/**
 * The rules as version 1 understands them: everything is forbidden, or everything allowed, but for a list of exceptions.
 * A rule that takes back a part of an earlier exception has no form there: the kernel would ignore it, so it is refused.
 * Documentation/admin-guide/cgroup-v1/devices.rst.
 */
export function limitDevices(rules: readonly AccessRule[]): Limit[] {
  const { allowed, property, exceptions } = findExceptions(rules);
  // Forgets the exceptions that the cgroup has, too.
  const limits = [limit(allowed ? "devices.allow" : "devices.deny", "a", property)];
  const file = allowed ? "devices.deny" : "devices.allow";
  for (const exception of exceptions.values()) {
    limits.push(limit(file, render(exception), exception.property));
  }
  return limits;
}

interface Exceptions {
  /** What is true of devices that no exception is about. */
  readonly allowed: boolean;
  readonly property: string;
  /** By device, since each is a write. */
  readonly exceptions: ReadonlyMap<string, AccessRule>;
}

function findExceptions(rules: readonly AccessRule[]): Exceptions {
  let [allowed, property] = [false, ""];
  const exceptions = new Map<string, AccessRule>();
  for (const rule of rules) {
    if (isTotal(rule)) {
      ({ allow: allowed, property } = rule);
      exceptions.clear();
    } else if (rule.type !== "a") {
      apply(exceptions, rule, allowed);
    } else {
      // Exceptions name one type.
      apply(exceptions, { ...rule, type: "b" }, allowed);
      apply(exceptions, { ...rule, type: "c" }, allowed);
    }
  }
  return { allowed, property, exceptions };
}

function apply(exceptions: Map<string, AccessRule>, rule: AccessRule, allowed: boolean): void {
  if (rule.allow !== allowed) {
    const key = `${rule.type} ${rule.major}:${rule.minor}`;
    const known = exceptions.get(key);
    exceptions.set(key, known ? { ...rule, access: known.access | rule.access } : rule);
    return;
  }
  for (const [key, exception] of exceptions) {
    const access = takeBack(exception, rule);
    if (access === 0) exceptions.delete(key);
    else if (access !== exception.access) exceptions.set(key, { ...exception, access });
  }
}

/** The access that is left of an exception after a later rule of the opposite kind. */
function takeBack(exception: AccessRule, rule: AccessRule): number {
  if ((exception.access & rule.access) === 0 || !overlap(exception, rule)) return exception.access;
  if (!covers(rule, exception)) {
    const verb = rule.allow ? "allows" : "forbids";
    throw new SpecError(
      rule.property,
      `${verb} a part of what ${exception.property} is about, and cgroup v1 has no form for that: put the wider rule first, or name the devices one by one`,
    );
  }
  return exception.access & ~rule.access;
}

function overlap(one: AccessRule, other: AccessRule): boolean {
  const meet = (a: number, b: number) => a === b || a === -1 || b === -1;
  return one.type === other.type && meet(one.major, other.major) && meet(one.minor, other.minor);
}

function covers(wide: AccessRule, narrow: AccessRule): boolean {
  const cover = (a: number, b: number) => a === b || a === -1;
  return cover(wide.major, narrow.major) && cover(wide.minor, narrow.minor);
}

function render({ type, major, minor, access }: AccessRule): string {
  let letters = "";
  if (access & ACCESS_BITS.r) letters += "r";
  if (access & ACCESS_BITS.w) letters += "w";
  if (access & ACCESS_BITS.m) letters += "m";
  return `${type} ${major === -1 ? "*" : major}:${minor === -1 ? "*" : minor} ${letters}`;
}
