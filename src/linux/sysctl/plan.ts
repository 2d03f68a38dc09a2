import { sysctlPath } from "../../spec/sysctl-key.ts";

export interface PlannedSysctl {
  /** JSON path of the key. */
  readonly origin: string;
  /** Path beneath a proc file system: sys/net/ipv4/ip_forward. */
  readonly path: string;
  readonly value: string;
}

/** @param sysctl key → value; keys are those that src/rules/sysctl.ts let pass */
export function planSysctl(sysctl: Readonly<Record<string, string>>): readonly PlannedSysctl[] {
  const planned: PlannedSysctl[] = [];
  for (const key of Object.keys(sysctl)) {
    const path = `sys/${sysctlPath(key) ?? key}`;
    planned.push({ origin: `linux.sysctl["${key}"]`, path, value: sysctl[key] ?? "" });
  }
  return planned;
}
