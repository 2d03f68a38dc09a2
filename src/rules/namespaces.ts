/** runtime-spec, config-linux.md, "Namespaces": what must not contradict, and what needs a namespace of its own. */
import { SpecError, wrong } from "../spec/error.ts";
import type { Config, Namespace, NamespaceType } from "../spec/types.ts";

// struct new_utsname holds __NEW_UTS_LEN (64) bytes of each name.
const LONGEST_UTS_NAME = 64;

// kernel/time/namespace.c: KTIME_SEC_MAX / 2, the latest that a clock may show.
const LAST_SECOND = 4611686018n;

/** The namespace of this type that the container gets, new or joined; undefined when it keeps the caller's. */
export function namespaceOf(config: Config, type: NamespaceType): Namespace | undefined {
  for (const namespace of config.linux?.namespaces ?? []) if (namespace.type === type) return namespace;
  return undefined;
}

/** Whether the container gets a new namespace of this type. An empty path is Go's way to write none. */
export function hasNewNamespace(config: Config, type: NamespaceType): boolean {
  const namespace = namespaceOf(config, type);
  return namespace !== undefined && !namespace.path;
}

/** @throws SpecError that says which property needs the namespace, when the container would keep the caller's */
export function needNamespace(config: Config, type: NamespaceType, path: string): void {
  if (namespaceOf(config, type) !== undefined) return;
  throw new SpecError(path, `needs {"type": "${type}"} in linux.namespaces`);
}

export function namespacesAreUnique(config: Config): void {
  const seen = new Set<string>();
  for (const [index, { type }] of (config.linux?.namespaces ?? []).entries()) {
    if (seen.has(type)) throw new SpecError(`linux.namespaces[${index}]`, `is a second ${type} namespace`);
    seen.add(type);
  }
}

export function namespacePathsAreAbsolute(config: Config): void {
  for (const [index, { path }] of (config.linux?.namespaces ?? []).entries()) {
    if (path && !path.startsWith("/")) {
      throw wrong(`linux.namespaces[${index}].path`, path, "an absolute path, such as /proc/1/ns/net");
    }
  }
}

export function utsNamesHaveNamespace(config: Config): void {
  for (const key of ["hostname", "domainname"] as const) {
    const name = config[key];
    if (!name) continue;
    needNamespace(config, "uts", key);
    // No character has more than three bytes for each unit of its length.
    if (name.length * 3 <= LONGEST_UTS_NAME) continue;
    const bytes = new TextEncoder().encode(name).length;
    if (bytes > LONGEST_UTS_NAME) {
      throw new SpecError(key, `has ${bytes} bytes: Linux takes ${LONGEST_UTS_NAME} at most`);
    }
  }
}

/** Without a mount namespace these would change the host's own tree. */
export function treeChangesHaveNamespace(config: Config): void {
  if (config.linux?.maskedPaths?.length) needNamespace(config, "mount", "linux.maskedPaths");
  if (config.linux?.readonlyPaths?.length) needNamespace(config, "mount", "linux.readonlyPaths");
  if (config.linux?.rootfsPropagation) needNamespace(config, "mount", "linux.rootfsPropagation");
}

export function netDevicesHaveNamespace(config: Config): void {
  const devices = config.linux?.netDevices;
  if (devices && Object.keys(devices).length > 0) needNamespace(config, "network", "linux.netDevices");
}

/** time_namespaces(7): the offsets can be written only before the first process enters. */
export function timeOffsetsHaveNamespace(config: Config): void {
  const offsets = config.linux?.timeOffsets;
  if (!offsets || Object.keys(offsets).length === 0) return;
  needNamespace(config, "time", "linux.timeOffsets");
  if (!hasNewNamespace(config, "time")) {
    throw new SpecError("linux.timeOffsets", "cannot change a time namespace that is joined by its path");
  }
  for (const clock of ["monotonic", "boottime"] as const) {
    const secs = offsets[clock]?.secs ?? 0n;
    if (secs <= LAST_SECOND && secs >= -LAST_SECOND) continue;
    throw wrong(`linux.timeOffsets.${clock}.secs`, secs, `a number from -${LAST_SECOND} to ${LAST_SECOND}`);
  }
}
