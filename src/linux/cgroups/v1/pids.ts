import type { Resources } from "../../../spec/types.ts";
import { type Limit, limit, orMax } from "../limit.ts";

/**
 * Documentation/admin-guide/cgroup-v1/pids.rst. The same in version 2. 0 forbids every fork; runtime-spec 1.3 says that
 * it is a limit like others.
 */
export function limitPids({ limit: most }: NonNullable<Resources["pids"]>): Limit[] {
  return most === undefined ? [] : [limit("pids.max", orMax(most), "linux.resources.pids.limit")];
}
