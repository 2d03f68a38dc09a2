import { CLONE } from "../../../ffi/constants/process.ts";
import type { Namespace } from "../../spec/types.ts";

/** The namespaces of runtime-spec 1.3, config-linux.md "Namespaces". */
export type NamespaceName = "user" | "mount" | "pid" | "network" | "uts" | "ipc" | "cgroup" | "time";

export type PlannedNamespace =
  | { readonly kind: "inherit" }
  | { readonly kind: "new" }
  | { readonly kind: "join"; readonly path: string; readonly origin: string };

export type PlannedNamespaces = Readonly<Record<NamespaceName, PlannedNamespace>>;

/** The clone flag of each namespace, and what its file under /proc/PID/ns is called. */
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

/** Flags of the new namespaces that clone3(2) makes at once; the time namespace is entered by unshare(2) before. */
export function cloneFlags(namespaces: PlannedNamespaces): number {
  let flags = 0;
  for (const name of namespaceNames) {
    if (name !== "time" && namespaces[name].kind === "new") flags += namespaceFlags[name];
  }
  return flags;
}
