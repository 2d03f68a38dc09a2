// Whether who starts a container may answer its calls: that need not be who created it.
import { readText } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { probeCapabilities } from "../host/capabilities.ts";
import { countIds, isWholeMap } from "../host/probe.ts";
import { obstacleToSupervisor, type SupervisorRights } from "../linux/root-emulation/rights.ts";
import { StateError } from "../state/error.ts";

/**
 * Looks at the container's user namespace, whatever its plan knew of it.
 * @param pid of a process in the container, which is there
 * @throws StateError where the supervisor would have more rights than the container
 */
export function checkSupervisorRights(pid: number): void {
  const obstacle = obstacleToSupervisor(rightsOf(pid));
  if (obstacle !== "") {
    throw new StateError("conflict", `root emulation notify cannot be had from this caller: ${obstacle}`);
  }
}

function rightsOf(pid: number): SupervisorRights {
  const uid = libc.geteuid();
  const own = readText("/proc/self/uid_map");
  const mappedIds = isWholeMap(own) ? 2 ** 32 - 1 : countIds(own);
  const caller = { uid, effective: probeCapabilities().effective, mappedIds };
  // What waits for `start` lets nobody but root look at its namespaces; its map can be read.
  const map = readText(`/proc/${pid}/uid_map`);
  // Of the reader's own namespace a map tells how its parent numbers the ids.
  if (map === own) return { caller, ids: mappedIds, owner: uid };
  return { caller, ids: countIds(map), owner: Number(map.trim().split(/\s+/)[1]) };
}
