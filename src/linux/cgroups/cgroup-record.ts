// What state.json remembers of a container's cgroups: all that delete, kill and exec need.

/** A cgroup of the container in one hierarchy of version 1, or in that of version 2 beside them. */
export interface RecordedDirectory {
  /** Joined by commas; "" for version 2. */
  readonly controllers: string;
  /** Absolute. */
  readonly path: string;
}

/** A scope of systemd that has the cgroups. */
export interface RecordedScope {
  /** "libpod-0123.scope" */
  readonly unit: string;
  /** Whether the machine's systemd has it, or that of the user who made it. */
  readonly bus: "system" | "user";
}

export type CgroupRecord = (
  | { readonly kind: "v1"; readonly directories: readonly RecordedDirectory[] }
  | { readonly kind: "v2"; readonly path: string }
) & {
  /** Absent when bunc has made the cgroups by itself. */
  readonly scope?: RecordedScope;
};

/**
 * Whether only systemd can put processes into the cgroups: a user may write to those of his own systemd, but not to what
 * lies above them and the place that the process comes from. cgroups(7), "Delegation".
 */
export function isUsers(record: CgroupRecord): boolean {
  return record.scope?.bus === "user";
}

/** The record's directories, whatever the layout. */
export function directoriesOf(record: CgroupRecord): readonly RecordedDirectory[] {
  return record.kind === "v1" ? record.directories : [{ controllers: "", path: record.path }];
}

/** Path of the cgroup in the hierarchy of version 2; undefined where there is none. */
export function unifiedPath(record: CgroupRecord): string | undefined {
  return pathOf(record, (controllers) => controllers === "");
}

/** Path of the cgroup in the hierarchy that has a controller of version 1; undefined where there is none. */
export function controllerPath(record: CgroupRecord, controller: string): string | undefined {
  return pathOf(record, (controllers) => controllers.split(",").includes(controller));
}

// No find or every here: to use such a method for the first time takes 0.1 ms, and `state` comes by.
function pathOf(record: CgroupRecord, wanted: (controllers: string) => boolean): string | undefined {
  for (const { controllers, path } of directoriesOf(record)) if (wanted(controllers)) return path;
  return undefined;
}

/**
 * A record as state.json has it, whose paths src/state has checked; null when the container has no cgroup.
 * Throws TypeError for what is no record, as in a file that was written halfway.
 */
export function readCgroupRecord(state: unknown): CgroupRecord | null {
  if (state === null) return null;
  const record = state as CgroupRecord | undefined;
  const directories = record?.kind === "v2" ? [{ controllers: "", path: record.path }] : record?.directories;
  if (!record || !Array.isArray(directories)) throw noRecord();
  for (const directory of directories) if (!isDirectory(directory)) throw noRecord();
  return record;
}

function noRecord(): TypeError {
  return new TypeError("the state has no record of cgroups where one should be");
}

function isDirectory(value: Partial<RecordedDirectory> | null): boolean {
  return typeof value?.controllers === "string" && value.path?.startsWith?.("/") === true;
}
