import { directoriesOf, readCgroupRecord } from "./cgroup-record.ts";
import { freezerFile } from "./frozen.ts";

/**
 * What the brief part of a container's record says of its cgroups: the file that tells whether it is paused, "" where
 * there is none, and their paths, undefined where systemd has a part in removing them.
 * @param state a CgroupRecord, as state.json has it; null when the container has none
 */
export function briefOf(state: unknown): { freezer: string; directories: readonly string[] | undefined } {
  const record = readCgroupRecord(state);
  if (!record) return { freezer: "", directories: [] };
  const directories: string[] = [];
  for (const { path } of directoriesOf(record)) directories.push(path);
  return { freezer: freezerFile(record) ?? "", directories: record.scope ? undefined : directories };
}
