import { CLONE } from "../../../ffi/constants/process.ts";
import type { Namespace, TimeOffsets } from "../../spec/types.ts";

/** The namespaces of runtime-spec 1.3, config-linux.md "Namespaces". */
export type NamespaceName = "user" | "mount" | "pid" | "network" | "uts" | "ipc" | "cgroup" | "time";

export type PlannedNamespace =
  | { readonly kind: "inherit" }
  | { readonly kind: "new" }
  | { readonly kind: "join"; readonly path: string; readonly origin: string };

export type PlannedNamespaces = Readonly<Record<NamespaceName, PlannedNamespace>>;

/** The clone flag of each namespace. */
export const namespaceFlags: Readonly<Record<NamespaceName, number>> = {
  user: CLONE.NEWUSER,
  mount: CLONE.NEWNS,
  pid: CLONE.NEWPID,
  network: CLONE.NEWNET,
  uts: CLONE.NEWUTS,
  ipc: CLONE.NEWIPC,
  cgroup: CLONE.NEWCGROUP,
  time: CLONE.NEWTIME,
};

/** What each namespace is called under /proc/PID/ns. namespaces(7). */
export const namespaceFiles: Readonly<Record<NamespaceName, string>> = {
  user: "user",
  mount: "mnt",
  pid: "pid",
  network: "net",
  uts: "uts",
  ipc: "ipc",
  cgroup: "cgroup",
  time: "time",
};

export const namespaceNames = Object.keys(namespaceFlags) as NamespaceName[];

const inherit: PlannedNamespace = Object.freeze({ kind: "inherit" });

/** What becomes of each namespace: one that config.json does not list is the caller's. */
export function planNamespaces(namespaces: readonly Namespace[]): PlannedNamespaces {
  const planned = Object.fromEntries(namespaceNames.map((name) => [name, inherit])) as Record<
    NamespaceName,
    PlannedNamespace
  >;
  namespaces.forEach((namespace, index) => {
    planned[namespace.type] = Object.freeze(
      namespace.path
        ? { kind: "join", path: namespace.path, origin: `linux.namespaces[${index}].path` }
        : { kind: "new" },
    );
  });
  return Object.freeze(planned);
}

// Init makes these itself: a time namespace so that its offsets are written before anybody is in it, and by whom its user
// namespace belongs to; a cgroup namespace because its root is the cgroup that its maker is in, and only init is born into
// the right one.
const notCloned: ReadonlySet<NamespaceName> = new Set(["time", "cgroup"]);

/** The lines that /proc/PID/timens_offsets takes, "" for no offset at all. time_namespaces(7). */
export function planTimeOffsets(offsets: TimeOffsets): string {
  return (["monotonic", "boottime"] as const)
    .flatMap((clock) => {
      const { secs = 0n, nanosecs = 0 } = offsets[clock] ?? {};
      return secs === 0n && nanosecs === 0 ? [] : [`${clock} ${secs} ${nanosecs}\n`];
    })
    .join("");
}

/** Flags of the new namespaces that clone3(2) makes at once. */
export function cloneFlags(namespaces: PlannedNamespaces): number {
  let flags = 0;
  for (const name of namespaceNames) {
    if (namespaces[name].kind === "new" && !notCloned.has(name)) flags += namespaceFlags[name];
  }
  return flags;
}
