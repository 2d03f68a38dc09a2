import { SpecError } from "../../spec/error.ts";
import type { IntelRdt } from "../../spec/intel-rdt.ts";

/** Text for a class's file `schemata`: lines that end with a newline. */
export interface PlannedSchemata {
  readonly text: string;
  /** JSON path of what asks for it. */
  readonly property: string;
}

/** What the container gets of the resctrl file system. */
export interface PlannedIntelRdt {
  /** Where resctrl is mounted. */
  readonly mountpoint: string;
  /** Directory of the class of service. */
  readonly path: string;
  /**
   * "own": named after the container, made for it. "shared": made when it is not there; others may be in it, too.
   * "given": it must be there.
   */
  readonly kind: "own" | "shared" | "given";
  /** Written in this order; what a class of others has must agree with them instead. */
  readonly schemata: readonly PlannedSchemata[];
  /** Directory of the container's monitoring group; "" for none. */
  readonly monitor: string;
}

/**
 * Decides which class of service the container's processes are in. runtime-spec 1.3.0, config-linux.md, "IntelRdt".
 * Pure.
 * @param mountpoint of resctrl; "" when it is not mounted
 * @returns null when config.json asks for nothing
 * Throws SpecError where there is no resctrl.
 */
export function planIntelRdt(
  intelRdt: IntelRdt | undefined,
  { id, mountpoint }: { readonly id: string; readonly mountpoint: string },
): PlannedIntelRdt | null {
  if (!intelRdt) return null;
  if (mountpoint === "") {
    throw new SpecError(
      "linux.intelRdt",
      "needs the resctrl file system, which is not mounted: mount -t resctrl resctrl /sys/fs/resctrl, on a processor with Intel RDT or AMD QoS",
    );
  }
  const { closID = "" } = intelRdt;
  const schemata = planSchemata(intelRdt);
  // The default class is the root of the file system.
  const path = closID === "/" ? mountpoint : `${mountpoint}/${closID || id}`;
  return {
    mountpoint,
    path,
    kind: closID === "" ? "own" : closID === "/" || schemata.length === 0 ? "given" : "shared",
    schemata,
    monitor: intelRdt.enableMonitoring ? `${path}/mon_groups/${id}` : "",
  };
}

/** What is in `schemata` comes after the others, in a write of its own: the kernel takes a domain once a write. */
function planSchemata({ l3CacheSchema = "", memBwSchema = "", schemata = [] }: IntelRdt): PlannedSchemata[] {
  const planned: PlannedSchemata[] = [];
  const cache = l3CacheSchema.split("\n").filter((line) => !memBwSchema || !line.startsWith("MB:"));
  const lines = [...cache, memBwSchema].filter((line) => line !== "");
  if (lines.length > 0) {
    const property = l3CacheSchema && memBwSchema ? "" : l3CacheSchema ? ".l3CacheSchema" : ".memBwSchema";
    planned.push({ text: `${lines.join("\n")}\n`, property: `linux.intelRdt${property}` });
  }
  const further = schemata.flatMap((text) => text.split("\n")).filter((line) => line !== "");
  if (further.length > 0) {
    planned.push({ text: `${further.join("\n")}\n`, property: "linux.intelRdt.schemata" });
  }
  return planned;
}
