// Which mounts of a container come from outside, so that criu names them instead of dumping what is in them. Pure.
// The names are those of runc: what one of the two has dumped the other can restore.

import type { Mapping } from "../linux/criu/messages.ts";
import { planDevices } from "../linux/devices/plan.ts";
import { notifyTarget } from "../linux/mounts/notify.ts";
import { readOptions } from "../linux/mounts/read-options.ts";
import type { Plan } from "../plan/types.ts";
import { cleanPath } from "../spec/path.ts";
import type { Config } from "../spec/types.ts";

/** A mount as /proc/PID/mountinfo tells it. proc_pid_mountinfo(5). */
export interface MountEntry {
  readonly id: number;
  /** Directory or file of the file system that is mounted. */
  readonly root: string;
  readonly mountpoint: string;
  readonly type: string;
}

/** Understands the text of /proc/PID/mountinfo. */
export function parseMountinfo(text: string): MountEntry[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      // ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAG…] - TYPE SOURCE SUPEROPTIONS
      const fields = line.split(" ");
      const dash = fields.indexOf("-", 6);
      return {
        id: Number(fields[0]),
        root: unescapePath(fields[3] ?? ""),
        mountpoint: unescapePath(fields[4] ?? ""),
        type: fields[dash + 1] ?? "",
      };
    });
}

/** Space, tab, newline and backslash are written in octal. */
function unescapePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** Name of what masks a file: one for all of them. */
const maskName = "/dev/null";

const isCgroup = (type: string | undefined) => type === "cgroup" || type === "cgroup2";

/** What lies beneath a directory, seen from it: "/x" for "/a/x" in "/a"; "" for itself; undefined for what is elsewhere. */
function beneath(directory: string, path: string): string | undefined {
  if (path === directory) return "";
  const prefix = directory === "/" ? "/" : `${directory}/`;
  return path.startsWith(prefix) ? `/${path.slice(prefix.length)}` : undefined;
}

/**
 * The external mounts of a running container: mount point → name.
 * @param entries its mounts
 * @param resolve where a destination of config.json really is, behind the links of the image
 */
export function dumpedMounts(
  { mounts = [], linux = {} }: Config,
  entries: readonly MountEntry[],
  resolve: (destination: string) => string,
): Mapping[] {
  const ownHierarchies = linux.namespaces?.some(({ type }) => type === "cgroup") ?? false;
  const places = mounts.map(({ destination, type, options }, index) => ({
    destination: cleanPath(destination),
    mountpoint: resolve(cleanPath(destination)),
    bound: type === "bind" || readOptions(options ?? [], `mounts[${index}]`).bind !== undefined,
    cgroup: isCgroup(type) && !ownHierarchies,
  }));
  places.push({
    destination: notifyTarget,
    mountpoint: notifyTarget,
    bound: !places.some(({ mountpoint }) => mountpoint === notifyTarget),
    cgroup: false,
  });
  const masked = new Set((linux.maskedPaths ?? []).map(cleanPath));
  const nodes = new Set(planDevices(linux.devices ?? [], everyDevice).nodes.map(({ path }) => path));
  const names = new Map<string, string>();
  for (const { mountpoint, root, type } of entries) {
    // The entry of config.json that it belongs to: the last of the innermost ones.
    const place = places
      .filter((each) => beneath(each.mountpoint, mountpoint) !== undefined)
      .reduce<(typeof places)[number] | undefined>(
        (best, each) => (best && best.mountpoint.length > each.mountpoint.length ? best : each),
        undefined,
      );
    const rest = place ? (beneath(place.mountpoint, mountpoint) ?? "") : "";
    // A masked directory has an empty file system of the container's own.
    if (masked.has(mountpoint) && !isNull(root, type)) continue;
    if (masked.has(mountpoint)) names.set(mountpoint, maskName);
    else if (place?.bound) names.set(mountpoint, cleanPath(place.destination + rest));
    else if (place?.cgroup && isCgroup(type)) names.set(mountpoint, cleanPath(place.destination + rest));
    else if (nodes.has(mountpoint)) names.set(mountpoint, mountpoint);
    else if (isNull(root, type)) names.set(mountpoint, maskName);
  }
  return [...names].map(([key, value]) => ({ key, value }));
}

const everyDevice = { userNamespace: true, devBound: false, kcore: false } as const;

/** A file is masked by the caller's /dev/null, which is on a devtmpfs, or on the tmpfs of an outer container. */
function isNull(root: string, type: string): boolean {
  return root === "/null" && (type === "devtmpfs" || type === "tmpfs");
}

/**
 * The external mounts of a container to be restored: name → path in the caller's view.
 * @param submounts of a directory: the mounts beneath its real path, as what follows that path, and the path itself
 * @param notifyDirectory what the container sees as /run/notify if it had a NOTIFY_SOCKET
 */
export function restoredMounts(
  plan: Pick<Plan, "mounts" | "masks" | "devices">,
  submounts: (source: string) => readonly Mapping[],
  notifyDirectory: string,
): Mapping[] {
  const paths = new Map<string, string>([[notifyTarget, notifyDirectory]]);
  for (const { target, source } of plan.mounts) {
    if (source.kind === "bind") {
      if (source.recursive) {
        for (const { key, value } of submounts(source.path)) paths.set(cleanPath(target + key), value);
      }
      // Bound onto themselves, what is read-only in it are mounts, too.
      for (const path of plan.masks.readonly) {
        const rest = beneath(target, path);
        if (rest) paths.set(path, cleanPath(source.path + rest));
      }
      paths.set(target, source.path);
    } else if (source.kind === "cgroup" && !source.namespaced) {
      if (source.view.kind === "v2") paths.set(target, source.view.path);
      if (source.view.kind !== "v1") continue;
      for (const { directory, path } of source.view.hierarchies) paths.set(`${target}/${directory}`, path);
    }
  }
  for (const { path } of plan.devices.nodes) paths.set(path, path);
  if (plan.masks.masked.length > 0) paths.set(maskName, maskName);
  return [...paths].map(([key, value]) => ({ key, value }));
}
