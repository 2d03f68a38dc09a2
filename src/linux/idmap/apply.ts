import { ERRNO } from "../../../ffi/constants/errno.ts";
import { SyscallError } from "../../../ffi/error.ts";
import { writeValue } from "../../../ffi/file.ts";
import { runCaptured } from "../../../ffi/process.ts";
import { SpecError } from "../../spec/error.ts";
import type { IdMapping } from "../../spec/types.ts";
import { type PlannedIdmap, renderMap } from "./plan.ts";

/**
 * Writes the id maps of a process that waits in a new user namespace.
 * @param property who asked for the maps: the JSON path that ends in uidMappings or gidMappings
 * Throws SpecError naming the map that was refused, with the usual cause.
 */
export function writeIdmap(
  plan: PlannedIdmap,
  pid: number,
  property: (which: "uid" | "gid") => string = (which) => `linux.${which}Mappings`,
): void {
  if (plan.kind === "none") return;
  if (plan.setgroups === "deny") writeValue(`/proc/${pid}/setgroups`, "deny");
  const write = plan.kind === "write" ? writeDirectly : writeByHelper;
  write("uid", plan.uid, pid, property("uid"));
  write("gid", plan.gid, pid, property("gid"));
}

function writeDirectly(which: "uid" | "gid", map: readonly IdMapping[], pid: number, property: string): void {
  try {
    writeValue(`/proc/${pid}/${which}_map`, renderMap(map));
  } catch (error) {
    if (!(error instanceof SyscallError) || error.errno !== ERRNO.EPERM) throw error;
    const held = "every hostID must be one of the ids that the caller's own user namespace holds";
    throw new SpecError(property, `the kernel refused this map: ${held}${rootsCondition(which, map)}`, {
      cause: error,
    });
  }
}

/** What the map must fulfil when it has the root of the caller's namespace: user_namespaces(7). A common container lacks it. */
function rootsCondition(which: "uid" | "gid", map: readonly IdMapping[]): string {
  return which === "uid" && map.some(({ hostID }) => hostID === 0)
    ? ", and mapping its root (hostID 0) takes CAP_SETFCAP there since Linux 5.12"
    : "";
}

const packages = "newuidmap and newgidmap come with the package uidmap (shadow-utils on Red Hat and SUSE)";

function writeByHelper(which: "uid" | "gid", map: readonly IdMapping[], pid: number, property: string): void {
  const helper = `new${which}map`;
  const numbers = map.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size].map(String));
  const run = runCaptured(helper, [helper, String(pid), ...numbers]);
  if (run === undefined) {
    throw new SpecError(
      property,
      `mapping more than one's own id needs ${helper}, which is missing: ${packages}`,
    );
  }
  if (run.status !== 0) {
    throw new SpecError(
      property,
      `${helper} failed: ${run.output.trim() || `exit status ${run.status}`}; the ranges must be the caller's in /etc/sub${which}`,
    );
  }
}
