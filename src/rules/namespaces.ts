/** runtime-spec, config-linux.md, "Namespaces": what must not contradict, and what needs a namespace of its own. */
import { joinPath } from "../spec/describe.ts";
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

// IFNAMSIZ counts the NUL at the end.
const LONGEST_DEVICE = 15;

/** net/core/dev.c, dev_valid_name and __dev_alloc_name: what the kernel takes for the name of a network device. */
export function netDevicesHaveGoodNames(config: Config): void {
  const taken = new Map<string, string>();
  for (const [from, { name }] of Object.entries(config.linux?.netDevices ?? {})) {
    const here = joinPath("linux.netDevices", from);
    if (!isDeviceName(from)) throw new SpecError(here, "is no name of a network device");
    const to = name || from;
    const template = /^[^/:\s%]*%d[^/:\s%]*$/.test(to) && to.length <= LONGEST_DEVICE;
    if (!template && !isDeviceName(to)) {
      const right = `a name of at most ${LONGEST_DEVICE} bytes without /, : and spaces; %d in it stands for a number`;
      throw wrong(`${here}.name`, name, right);
    }
    const other = template ? undefined : taken.get(to);
    if (other !== undefined) throw new SpecError(here, `gets the name "${to}", which ${other} gets, too`);
    taken.set(to, here);
  }
}

function isDeviceName(name: string): boolean {
  const fits = new TextEncoder().encode(name).length <= LONGEST_DEVICE;
  return fits && /^[^/:\s%]+$/.test(name) && name !== "." && name !== "..";
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
