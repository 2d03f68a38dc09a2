import type { IdMapping } from "../../spec/types.ts";

/** How the maps of a new user namespace are written. user_namespaces(7). */
export type PlannedIdmap =
  | { readonly kind: "none" }
  | {
      /** "write": /proc/PID/uid_map directly; "helper": newuidmap and newgidmap, which are setuid. */
      readonly kind: "write" | "helper";
      readonly uid: readonly IdMapping[];
      readonly gid: readonly IdMapping[];
      /** An unprivileged writer must deny setgroups(2) before it may write gid_map. Linux 3.19. */
      readonly setgroups: "allow" | "deny";
    };

export interface IdmapContext {
  readonly newUserNamespace: boolean;
  readonly uid: number;
  readonly gid: number;
  /** CAP_SETUID and CAP_SETGID in the caller's user namespace. */
  readonly maySetIds: boolean;
}

/** Chooses the way to write the maps that needs no more than the caller has. */
export function planIdmap(
  uid: readonly IdMapping[],
  gid: readonly IdMapping[],
  context: IdmapContext,
): PlannedIdmap {
  if (!context.newUserNamespace || (uid.length === 0 && gid.length === 0)) return { kind: "none" };
  const own = isOwnId(uid, context.uid) && isOwnId(gid, context.gid);
  if (context.maySetIds) return { kind: "write", uid, gid, setgroups: "allow" };
  if (own) return { kind: "write", uid, gid, setgroups: "deny" };
  return { kind: "helper", uid, gid, setgroups: "allow" };
}

/** Any process may map one id, its own. */
function isOwnId(map: readonly IdMapping[], id: number): boolean {
  return map.length === 1 && map[0]?.size === 1 && map[0].hostID === id;
}

/** The lines that uid_map and gid_map take. */
export function renderMap(map: readonly IdMapping[]): string {
  return map.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join("");
}

/** Whether an id of the container is mapped at all: an unmapped one cannot be set (EINVAL). */
export function isMapped(map: readonly IdMapping[], id: number): boolean {
  return map.some(({ containerID, size }) => id >= containerID && id - containerID < size);
}
