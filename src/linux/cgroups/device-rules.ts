// Which devices a container may use, in the form that both versions of cgroups start from. Pure.
import type { DeviceRule } from "../../spec/types.ts";

/** What may be done with a device: bits of struct bpf_cgroup_dev_ctx, include/uapi/linux/bpf.h. */
export const ACCESS_BITS = { m: 1, r: 2, w: 4 } as const;

export const everything = ACCESS_BITS.m | ACCESS_BITS.r | ACCESS_BITS.w;

/** A rule in full. Of the rules that fit a device, the last one decides. */
export interface AccessRule {
  readonly allow: boolean;
  /** "a" is any. */
  readonly type: "a" | "b" | "c";
  /** -1 is any. */
  readonly major: number;
  readonly minor: number;
  /** Bits of ACCESS_BITS. */
  readonly access: number;
  /** JSON path, or what else asks for it. */
  readonly property: string;
}

const total = {
  allow: false,
  type: "a",
  major: -1,
  minor: -1,
  access: everything,
  property: "the default devices",
} as const;

function allowed(type: "b" | "c", major: number, minor: number, access: number): AccessRule {
  return { allow: true, type, major, minor, access, property: total.property };
}

// The devices that every container has (runtime-spec, config-linux.md, "Default Devices"), as runc 1.2 allows them: a
// container may make any node, which is no use without further access. Not 5:1, the machine's own console: the
// container's is a pty.
const needed: readonly AccessRule[] = [
  allowed("c", -1, -1, ACCESS_BITS.m),
  allowed("b", -1, -1, ACCESS_BITS.m),
  // null, zero, full, random, urandom
  allowed("c", 1, 3, everything),
  allowed("c", 1, 5, everything),
  allowed("c", 1, 7, everything),
  allowed("c", 1, 8, everything),
  allowed("c", 1, 9, everything),
  // tty, ptmx, pts/*
  allowed("c", 5, 0, everything),
  allowed("c", 5, 2, everything),
  allowed("c", 136, -1, everything),
];

/**
 * All rules of a container: nothing is allowed at first, then come config.json's rules, then what every container needs,
 * since nearly every caller only forbids all.
 */
export function accessRules(rules: readonly DeviceRule[]): AccessRule[] {
  const all: AccessRule[] = [total];
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index];
    if (rule) all.push(accessRule(rule, `linux.resources.devices[${index}]`));
  }
  for (const rule of needed) all.push(rule);
  return all;
}

/** Whether a rule is about every device and all access, so that no rule before it matters. */
export function isTotal({ type, major, minor, access }: AccessRule): boolean {
  return type === "a" && major === -1 && minor === -1 && access === everything;
}

function accessRule({ allow, type, major, minor, access }: DeviceRule, property: string): AccessRule {
  return {
    allow,
    type: type || "a",
    major: major ?? -1,
    minor: minor ?? -1,
    access: bits(access ?? "rwm"),
    property,
  };
}

function bits(letters: string): number {
  let sum = 0;
  for (const letter of letters) sum |= ACCESS_BITS[letter as keyof typeof ACCESS_BITS];
  return sum;
}
