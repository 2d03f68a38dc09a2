// What a mount of type cgroup shows the container: the room of cgroups decides it, the room of mounts mounts it.

/** The hierarchies that the container is to see. */
export type CgroupView =
  | { readonly kind: "none" }
  | { readonly kind: "v2"; readonly path: string }
  | { readonly kind: "v1"; readonly hierarchies: readonly CgroupHierarchy[] };

/** One hierarchy of version 1, or the unified part of a hybrid layout. */
export interface CgroupHierarchy {
  /** Name of its directory beneath /sys/fs/cgroup, such as `cpu,cpuacct`. */
  readonly directory: string;
  /** The container's own cgroup in it, as the caller sees it. */
  readonly path: string;
  /** Mount data that names its controllers: `cpu,cpuacct`, `none,name=systemd`. */
  readonly options: string;
  /** cgroup2 for the unified part of a hybrid layout. */
  readonly type: "cgroup" | "cgroup2";
  /** Further names: `cpu` and `cpuacct` for `cpu,cpuacct`. */
  readonly links: readonly string[];
}
