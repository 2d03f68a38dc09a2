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

type Row = readonly [type: "b" | "c", major: number, minor: number, access: string];

// The devices that every container has (runtime-spec, config-linux.md, "Default Devices"), as runc 1.2 allows them: a
// container may make any node, which is no use without further access. Not 5:1, the machine's own console: the
// container's is a pty.
const defaults: readonly Row[] = [
  ["c", -1, -1, "m"],
  ["b", -1, -1, "m"],
  // null, zero, full, random, urandom
  ["c", 1, 3, "rwm"],
  ["c", 1, 5, "rwm"],
  ["c", 1, 7, "rwm"],
  ["c", 1, 8, "rwm"],
  ["c", 1, 9, "rwm"],
  // tty, ptmx, pts/*
  ["c", 5, 0, "rwm"],
  ["c", 5, 2, "rwm"],
  ["c", 136, -1, "rwm"],
];

/**
 * All rules of a container: nothing is allowed at first, then come config.json's rules, then what every container needs,
 * since nearly every caller only forbids all.
 */
export function accessRules(rules: readonly DeviceRule[]): AccessRule[] {
  const own = rules.map((rule, index) => accessRule(rule, `linux.resources.devices[${index}]`));
  const needed = defaults.map(([type, major, minor, access]) => ({
    allow: true,
    type,
    major,
    minor,
    access: bits(access),
    property: "the default devices",
  }));
  const all = { allow: false, type: "a", major: -1, minor: -1, access: everything } as const;
  return [{ ...all, property: "the default devices" }, ...own, ...needed];
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

function bits(access: string): number {
  return [...access].reduce((sum, letter) => sum | ACCESS_BITS[letter as keyof typeof ACCESS_BITS], 0);
}
