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
  // Loops, here and below: of the engine's own methods that take a function each takes 0.1 ms when it is used first.
  const planned = {} as Record<NamespaceName, PlannedNamespace>;
  for (const name of namespaceNames) planned[name] = inherit;
  let index = 0;
  for (const { type, path } of namespaces) {
    const origin = `linux.namespaces[${index++}].path`;
    planned[type] = Object.freeze(path ? { kind: "join", path, origin } : { kind: "new" });
  }
  return Object.freeze(planned);
}

/**
 * Flags of the new namespaces that init makes itself, as the container's root: a cgroup namespace because its root is the
 * cgroup that its maker is in, and only init is born into the right one; in a new user namespace one of IPC because its file
 * system of message queues belongs to its maker, who may have no number there.
 */
export function ownFlags(namespaces: PlannedNamespaces): number {
  const { cgroup, ipc, user } = namespaces;
  let flags = 0;
  if (cgroup.kind === "new") flags += CLONE.NEWCGROUP;
  if (ipc.kind === "new" && user.kind === "new") flags += CLONE.NEWIPC;
  return flags;
}

/** The lines that /proc/PID/timens_offsets takes, "" for no offset at all. time_namespaces(7). */
export function planTimeOffsets(offsets: TimeOffsets): string {
  let lines = "";
  for (const clock of ["monotonic", "boottime"] as const) {
    const { secs = 0n, nanosecs = 0 } = offsets[clock] ?? {};
    if (secs !== 0n || nanosecs !== 0) lines += `${clock} ${secs} ${nanosecs}\n`;
  }
  return lines;
}

/**
 * Flags of the new namespaces that clone3(2) makes at once. That of time is not among them: its offsets are written before
 * anybody is in it, and by whom its user namespace belongs to.
 */
export function cloneFlags(namespaces: PlannedNamespaces): number {
  let flags = 0;
  for (const name of namespaceNames) {
    if (namespaces[name].kind === "new" && name !== "time") flags += namespaceFlags[name];
  }
  return flags - ownFlags(namespaces);
}
