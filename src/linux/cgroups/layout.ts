// Where the control groups of this machine are mounted and where the caller is in them. Pure: from the texts of
// /proc/self/mountinfo and /proc/self/cgroup. proc(5), cgroups(7).
// Every create runs this, once: plain loops are several times as fast then as callbacks, which nothing has compiled yet.

/** The hierarchy of cgroup v2. */
export interface Unified {
  readonly mountpoint: string;
  /** The caller's own cgroup, seen from the mount point: "/" or "/a/b". */
  readonly own: string;
  /** False when it is mounted read-only. */
  readonly writable: boolean;
}

/** A hierarchy of cgroup v1. */
export interface Hierarchy extends Unified {
  /** In the kernel's order: `["cpu", "cpuacct"]`, `["name=systemd"]`. */
  readonly controllers: readonly string[];
}

export type CgroupLayout =
  | { readonly kind: "none" }
  | ({ readonly kind: "v2" } & Unified)
  /** With `unified` the layout is hybrid: v1 has the controllers, and v2 is mounted beside it. */
  | {
      readonly kind: "v1";
      readonly hierarchies: readonly Hierarchy[];
      readonly unified: Unified | undefined;
    };

interface Mount {
  readonly id: string;
  readonly parent: string;
  readonly mountpoint: string;
}

interface CgroupMount extends Mount {
  /** Directory of the file system that is the root of this mount. */
  readonly root: string;
  readonly version: 1 | 2;
  readonly writable: boolean;
  /** Options of the file system, between commas: ",rw,cpu,cpuacct,". */
  readonly options: string;
}

const usualPlace = "/sys/fs/cgroup";

/**
 * Finds the layout.
 * @param mountinfo text of /proc/self/mountinfo
 * @param selfCgroup text of /proc/self/cgroup
 */
export function parseCgroupLayout(mountinfo: string, selfCgroup: string): CgroupLayout {
  const mounts = findCgroupMounts(mountinfo.split("\n"));
  const own = parseOwn(selfCgroup);
  const unified = findUnified(mounts, own.get("") ?? "/");
  // A machine of v2 may have an odd v1 hierarchy mounted somewhere (net_cls for a firewall): the usual place decides.
  if (unified?.mountpoint === usualPlace) return { kind: "v2", ...unified };
  const hierarchies = findHierarchies(mounts, own);
  if (hasController(hierarchies)) return { kind: "v1", hierarchies, unified };
  return unified ? { kind: "v2", ...unified } : { kind: "none" };
}

function hasController(hierarchies: readonly Hierarchy[]): boolean {
  for (const { controllers } of hierarchies) if (!isName(controllers[0] ?? "")) return true;
  return false;
}

/** A hierarchy that only has a name tracks processes; it controls nothing. */
export function isName(controller: string): boolean {
  return controller.startsWith("name=");
}

/** The mounts of cgroups that can be seen: those that no other mount lies over. */
function findCgroupMounts(lines: readonly string[]): CgroupMount[] {
  const found: CgroupMount[] = [];
  const ways = new Set(["/"]);
  for (const line of lines) {
    if (!line.includes(" - cgroup")) continue;
    const mount = parseCgroupMount(line);
    found.push(mount);
    const { mountpoint } = mount;
    for (let end = mountpoint.length; end > 0; end = mountpoint.lastIndexOf("/", end - 1)) {
      ways.add(mountpoint.slice(0, end));
    }
  }
  // A mount's parents are all on the way to it, and so is everything that could cover it.
  const onTheWay = new Map<string, Mount>();
  for (const line of lines) {
    const mount = parseMount(line);
    if (ways.has(mount.mountpoint)) onTheWay.set(mount.id, mount);
  }
  const visible: CgroupMount[] = [];
  for (const mount of found) if (!isHidden(mount, onTheWay)) visible.push(mount);
  return visible;
}

// ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAG…] - TYPE SOURCE SUPEROPTIONS
// Taken apart by hand: a machine may have hundreds of mounts.

function parseMount(line: string): Mount {
  const parent = line.indexOf(" ") + 1;
  const device = line.indexOf(" ", parent) + 1;
  const root = line.indexOf(" ", device) + 1;
  const mountpoint = line.indexOf(" ", root) + 1;
  return {
    id: line.slice(0, parent - 1),
    parent: line.slice(parent, device - 1),
    mountpoint: unescapePath(line.slice(mountpoint, line.indexOf(" ", mountpoint))),
  };
}

function parseCgroupMount(line: string): CgroupMount {
  const fields = line.split(" ");
  const dash = fields.indexOf("-", 6);
  const options = `,${fields[dash + 3]},`;
  return {
    ...parseMount(line),
    root: unescapePath(fields[3] ?? ""),
    version: fields[dash + 1] === "cgroup2" ? 2 : 1,
    writable: !`,${fields[5]},`.includes(",ro,") && !options.includes(",ro,"),
    options,
  };
}

/** Space, tab, newline and backslash are written in octal. */
function unescapePath(path: string): string {
  if (!path.includes("\\")) return path;
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** Whether another mount lies over its mount point, or over a directory above it, without being what it is mounted on. */
function isHidden(mount: Mount, others: ReadonlyMap<string, Mount>): boolean {
  const below = new Set([mount.id]);
  for (let id = mount.parent; !below.has(id); id = others.get(id)?.parent ?? id) below.add(id);
  for (const { id, mountpoint } of others.values()) {
    if (isWithin(mount.mountpoint, mountpoint) && !below.has(id)) return true;
  }
  return false;
}

function isWithin(path: string, directory: string): boolean {
  if (directory === "/") return true;
  return path.startsWith(directory) && (path.length === directory.length || path[directory.length] === "/");
}

/** Controllers joined by commas → the caller's path in their hierarchy; "" is cgroup v2. */
function parseOwn(text: string): Map<string, string> {
  const own = new Map<string, string>();
  for (const line of text.split("\n")) {
    // NUMBER:CONTROLLERS:PATH; a path may have colons in it.
    const first = line.indexOf(":");
    const second = line.indexOf(":", first + 1);
    if (second < 0) continue;
    const path = line.slice(second + 1);
    // The kernel marks a cgroup that was removed around the caller.
    const mark = " (deleted)";
    own.set(line.slice(first + 1, second), path.endsWith(mark) ? path.slice(0, -mark.length) : path);
  }
  return own;
}

function findUnified(mounts: readonly CgroupMount[], own: string): Unified | undefined {
  const mount = findMount(mounts, 2, []);
  return mount && place(mount, own);
}

function findHierarchies(mounts: readonly CgroupMount[], own: ReadonlyMap<string, string>): Hierarchy[] {
  const hierarchies: Hierarchy[] = [];
  for (const [joined, path] of own) {
    if (joined === "") continue;
    const controllers = joined.split(",");
    const mount = findMount(mounts, 1, controllers);
    if (mount) hierarchies.push({ controllers, ...place(mount, path) });
  }
  return hierarchies;
}

/** A hierarchy may be mounted more than once; the usual place is the one that others look at. */
function findMount(
  mounts: readonly CgroupMount[],
  version: 1 | 2,
  controllers: readonly string[],
): CgroupMount | undefined {
  let found: CgroupMount | undefined;
  for (const mount of mounts) {
    if (mount.version !== version || !hasOptions(mount.options, controllers)) continue;
    if (isWithin(mount.mountpoint, usualPlace)) return mount;
    found ??= mount;
  }
  return found;
}

function hasOptions(options: string, wanted: readonly string[]): boolean {
  for (const each of wanted) if (!options.includes(`,${each},`)) return false;
  return true;
}

function place({ root, mountpoint, writable }: CgroupMount, own: string): Unified {
  return { mountpoint, own: seenFrom(root, own), writable };
}

/** In a nested container the mount may begin at the container's cgroup; above it nothing can be reached. */
function seenFrom(root: string, own: string): string {
  const path = root === "/" ? own : isWithin(own, root) ? own.slice(root.length) : "/";
  return path === "" || path.split("/").includes("..") ? "/" : path;
}
