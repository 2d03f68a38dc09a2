import type { CgroupRecord, RecordedScope } from "./cgroup-record.ts";
import type { PlannedCgroup, PlannedScope } from "./planned.ts";

/**
 * The record of every cgroup that a plan may make, before any is made: destroyCgroup takes it, whatever became of them.
 * null when there are none. What was made in the end is told by createCgroup.
 */
export function describeCgroup(plan: PlannedCgroup): CgroupRecord | null {
  switch (plan.kind) {
    case "none":
      return null;
    case "v1":
      return {
        kind: "v1",
        directories: plan.directories.map(({ controllers, path }) => ({ controllers, path })),
        ...scopeOf(plan.scope),
      };
    case "v2":
      return { kind: "v2", path: plan.directory.path, ...scopeOf(plan.scope) };
  }
}

function scopeOf(scope: PlannedScope | null): { readonly scope?: RecordedScope } {
  return scope ? { scope: { unit: scope.unit, bus: scope.bus } } : {};
}
