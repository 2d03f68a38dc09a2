// Id-mapped mounts: whose ids the files of a mount have. Pure.
import { SpecError } from "../../spec/error.ts";
import type { IdMapping, Mount } from "../../spec/types.ts";

/** How the ids of a mount's files are mapped. mount_setattr(2), MOUNT_ATTR_IDMAP, Linux 5.12. */
export type MountIdmap =
  | { readonly kind: "none" }
  /** As the container's user namespace maps them, which is joined. */
  | { readonly kind: "joined"; readonly recursive: boolean; readonly origin: string }
  | {
      readonly kind: "maps";
      /** containerID is the id in the file system, hostID the caller's id that it appears as. */
      readonly uid: readonly IdMapping[];
      readonly gid: readonly IdMapping[];
      /** Of what is mounted beneath, too. */
      readonly recursive: boolean;
      /** JSON path of what asked for it. */
      readonly origin: string;
    };

/** The option that asked for it: idmap or ridmap, with maps of its own or without. */
export interface IdmapOption {
  readonly recursive: boolean;
  /** What stands behind the equals sign; "" for nothing. */
  readonly maps: string;
  readonly origin: string;
}

/** What the container's user namespace is, and the maps that config.json gives it. */
export interface ContainerIds {
  readonly kind: "new" | "join" | "inherit";
  readonly uid: readonly IdMapping[];
  readonly gid: readonly IdMapping[];
}

const none: MountIdmap = Object.freeze({ kind: "none" });

/**
 * Decides the maps of one mount: the entry's own, those of its option, or the container's.
 * @param bind whether it is a bind mount: a file system that the container mounts itself has the container's ids already
 * @param may the caller has the capabilities that it takes
 * Throws SpecError for maps that are not there, that contradict each other, or that cannot be applied.
 */
export function planMountIdmap(
  { uidMappings = [], gidMappings = [] }: Pick<Mount, "uidMappings" | "gidMappings">,
  option: IdmapOption | undefined,
  ids: ContainerIds,
  { bind, may, origin }: { readonly bind: boolean; readonly may: boolean; readonly origin: string },
): MountIdmap {
  const given = uidMappings.length > 0 || gidMappings.length > 0;
  if (!option && !given) return none;
  const asked = option?.origin ?? `${origin}.uidMappings`;
  if (!bind) throw new SpecError(asked, "maps ids, which only a bind mount can have mapped");
  if (!may) {
    throw new SpecError(
      asked,
      "asks for an id-mapped mount: that takes CAP_SYS_ADMIN, in the user namespace that the source was mounted in. Run as root, or change the owners of the files",
    );
  }
  const recursive = option?.recursive ?? false;
  if (option && option.maps !== "") {
    if (given) throw new SpecError(asked, `gives maps, and so does ${origin}.uidMappings: leave one out`);
    return Object.freeze({ kind: "maps", ...readMaps(option, ids), recursive, origin: asked });
  }
  if (given)
    return Object.freeze({ kind: "maps", uid: uidMappings, gid: gidMappings, recursive, origin: asked });
  if (ids.kind === "join") return Object.freeze({ kind: "joined", recursive, origin: asked });
  if (ids.kind === "new") {
    return Object.freeze({ kind: "maps", uid: ids.uid, gid: ids.gid, recursive, origin: asked });
  }
  throw new SpecError(
    asked,
    `has no maps to apply: give ${origin}.uidMappings and gidMappings, or the container a user namespace`,
  );
}

/** crun's form: `uids=0-1-10#10-11-10;gids=@0-100-10`, with ids of the container behind an @. crun(1), "idmap". */
function readMaps({ maps, origin }: IdmapOption, ids: ContainerIds) {
  const read: { uid: readonly IdMapping[]; gid: readonly IdMapping[] } = { uid: [], gid: [] };
  for (const part of maps.split(";").filter((each) => each !== "")) {
    const [key = "", ranges = ""] = part.split("=");
    const which = key === "uids" ? "uid" : key === "gids" ? "gid" : undefined;
    if (!which) throw new SpecError(origin, `has "${part}", which must begin with uids= or gids=`);
    read[which] = ranges.split("#").map((range) => readRange(range, ids[which], origin));
  }
  if (read.uid.length === 0 || read.gid.length === 0)
    throw new SpecError(origin, "must map both: idmap=uids=FILE-HOST-SIZE;gids=FILE-HOST-SIZE");
  return read;
}

const lastId = 4_294_967_295;

function readRange(range: string, own: readonly IdMapping[], origin: string): IdMapping {
  const [, relative, ...numbers] = /^(@?)(\d{1,10})-(\d{1,10})-(\d{1,10})$/.exec(range) ?? [];
  const [containerID = 0, id = 0, size = 0] = numbers.map(Number);
  if (relative === undefined || size === 0 || containerID + size > lastId || id + size > lastId)
    throw new SpecError(
      origin,
      `has the range "${range}", which must be FILE-HOST-SIZE or @FILE-CONTAINER-SIZE`,
    );
  return { containerID, hostID: relative === "@" ? hostId(id, size, own, origin) : id, size };
}

/** The caller's number of a container's id. */
function hostId(id: number, size: number, own: readonly IdMapping[], origin: string): number {
  const found = own.find((map) => id >= map.containerID && id + size <= map.containerID + map.size);
  if (found) return found.hostID + id - found.containerID;
  throw new SpecError(
    origin,
    `has a range of ${size} ids from the container's ${id} on: these must be inside of one range of its user namespace`,
  );
}
