// How the container numbers the owner that the kernel tells the supervisor.
import { readLink, readText } from "../../../ffi/file.ts";

/** What a user or group that is not mapped is shown as: /proc/sys/kernel/overflowuid. */
const overflow = 65_534;

interface Range {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** The lines of uid_map or gid_map. user_namespaces(7). */
export function parseIdMap(text: string): readonly Range[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const [inside = 0, outside = 0, count = 0] = line.trim().split(/\s+/).map(Number);
    return { inside, outside, count };
  });
}

/** An id as the namespace of these maps has it. */
export function mapId(id: number, ranges: readonly Range[]): number {
  const range = ranges.find(({ outside, count }) => id >= outside && id < outside + count);
  return range ? range.inside + id - range.outside : overflow;
}

type Maps = { readonly uids: readonly Range[]; readonly gids: readonly Range[] } | "same";

/** The ids of one container; all its processes are in one user namespace. */
export class ShownIds {
  private maps: Maps | undefined;

  /** @param pid of a process in the container, which is there */
  of(pid: number, uid: number, gid: number): { uid: number; gid: number } {
    this.maps ??= readMaps(pid);
    if (this.maps === "same") return { uid, gid };
    return { uid: mapId(uid, this.maps.uids), gid: mapId(gid, this.maps.gids) };
  }
}

function readMaps(pid: number): Maps {
  // Of the reader's own namespace the maps tell what the parent has.
  if (readLink(`/proc/${pid}/ns/user`) === readLink("/proc/self/ns/user")) return "same";
  return {
    uids: parseIdMap(readText(`/proc/${pid}/uid_map`)),
    gids: parseIdMap(readText(`/proc/${pid}/gid_map`)),
  };
}
