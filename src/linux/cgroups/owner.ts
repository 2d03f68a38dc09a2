// To whom a container's cgroup of version 2 is given. Pure.
import { cleanPath } from "../../spec/path.ts";
import type { Mount } from "../../spec/types.ts";

/** What the rule looks at. */
export interface OwnerContext {
  /** The container gets a cgroup namespace of its own. */
  readonly newCgroupNamespace: boolean;
  readonly mounts: readonly Mount[];
  /** process.user.uid as the caller sees it; undefined when nobody knows. */
  readonly uid: number | undefined;
  /** The caller, who makes the cgroup. */
  readonly caller: number;
}

/**
 * runtime-spec, config-linux.md, "Cgroup ownership": the cgroup belongs to who runs in it when it is the root of what the
 * container sees and can write to; never otherwise.
 * @returns the uid, or undefined when the cgroup stays the caller's
 */
export function cgroupOwner({ newCgroupNamespace, mounts, uid, caller }: OwnerContext): number | undefined {
  if (!newCgroupNamespace || uid === undefined || uid === caller) return undefined;
  for (const { source, destination, options } of mounts) {
    if (source !== "cgroup" || cleanPath(destination) !== "/sys/fs/cgroup") continue;
    return options?.includes("ro") ? undefined : uid;
  }
  return undefined;
}
