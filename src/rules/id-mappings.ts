/** runtime-spec, config-linux.md, "User namespace mappings"; user_namespaces(7) for what the kernel takes. */
import { SpecError, wrong } from "../spec/error.ts";
import type { Config, IdMapping } from "../spec/types.ts";
import { hasNewNamespace, needNamespace } from "./namespaces.ts";

// UID_GID_MAP_MAX_EXTENTS, since Linux 4.15.
const MOST_EXTENTS = 340;
// The kernel refuses an extent whose end wraps around.
const LAST_END = 4294967295;

const KINDS = ["uidMappings", "gidMappings"] as const;

/** A joined user namespace has its own mappings; callers such as containerd repeat them, so they may stand here. */
export function idMappingsHaveNamespace(config: Config): void {
  for (const kind of KINDS) {
    if (config.linux?.[kind]?.length) needNamespace(config, "user", `linux.${kind}`);
  }
}

export function newUserNamespaceHasMappings(config: Config): void {
  if (!hasNewNamespace(config, "user")) return;
  for (const kind of KINDS) {
    if (!config.linux?.[kind]?.length) {
      throw new SpecError(
        `linux.${kind}`,
        "is needed: a new user namespace without mappings has no usable ids",
      );
    }
  }
}

export function idMappingsAreSound(config: Config): void {
  for (const kind of KINDS) {
    checkMappings(config.linux?.[kind], `linux.${kind}`);
    for (const [index, mount] of (config.mounts ?? []).entries()) {
      checkMappings(mount[kind], `mounts[${index}].${kind}`);
    }
  }
}

/** In a new user namespace an id that is not mapped cannot be taken on: setresuid would fail with EINVAL. */
export function userIsMapped(config: Config): void {
  if (config.process === undefined || !hasNewNamespace(config, "user")) return;
  const { uid, gid, additionalGids = [] } = config.process.user;
  const uids = config.linux?.uidMappings ?? [];
  const gids = config.linux?.gidMappings ?? [];
  checkMapped(uid, uids, "process.user.uid", "linux.uidMappings");
  checkMapped(gid, gids, "process.user.gid", "linux.gidMappings");
  // A map of one id is what users without subordinate ids get: setgroups is denied there, and groups are skipped.
  if (gids.length === 1 && gids[0]?.size === 1) return;
  for (const [index, each] of additionalGids.entries()) {
    checkMapped(each, gids, `process.user.additionalGids[${index}]`, "linux.gidMappings");
  }
}

function checkMapped(id: number, mappings: IdMapping[], path: string, map: string): void {
  for (const { containerID, size } of mappings) {
    if (id >= containerID && id < containerID + size) return;
  }
  throw wrong(path, id, `an id that ${map} maps into the container`);
}

function checkMappings(mappings: IdMapping[] | undefined, path: string): void {
  if (mappings === undefined) return;
  if (mappings.length > MOST_EXTENTS) {
    throw new SpecError(path, `has ${mappings.length} entries: Linux takes ${MOST_EXTENTS} at most`);
  }
  for (const [index, mapping] of mappings.entries()) {
    const here = `${path}[${index}]`;
    if (mapping.size === 0) throw wrong(`${here}.size`, 0, "1 or more");
    for (const side of ["containerID", "hostID"] as const) {
      if (mapping[side] + mapping.size > LAST_END) {
        throw new SpecError(
          here,
          `goes beyond the last id: ${side} and size must add up to ${LAST_END} or less`,
        );
      }
      for (let before = 0; before < index; before += 1) {
        const other = mappings[before];
        if (other && mapping[side] < other[side] + other.size && other[side] < mapping[side] + mapping.size) {
          throw new SpecError(here, `maps a ${side} that ${path}[${before}] maps already`);
        }
      }
    }
  }
}
