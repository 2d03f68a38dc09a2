// What `exec --cgroup` means. Pure.
import { SpecError } from "../../spec/error.ts";
import type { CgroupRecord, RecordedDirectory } from "./cgroup-record.ts";

/**
 * The cgroups beneath a container's that a process is to enter.
 * @param paths as runc takes them: PATH for every hierarchy, or CONTROLLER[,CONTROLLER…]:PATH for one of version 1
 * Throws SpecError for a path that leads out of the container's cgroup, and for controllers that are not there.
 */
export function subCgroup(record: CgroupRecord, paths: readonly string[]): CgroupRecord {
  let found = record;
  for (const path of paths) found = enterOne(record, found, path);
  return found;
}

function enterOne(container: CgroupRecord, record: CgroupRecord, written: string): CgroupRecord {
  const colon = written.indexOf(":");
  const path = below(colon < 0 ? written : written.slice(colon + 1), written);
  if (container.kind === "v2" || record.kind === "v2") {
    if (colon > 0) throw wrong(written, "names controllers, and version 2 of the cgroups has one hierarchy");
    return container.kind === "v2" ? { ...container, path: container.path + path } : record;
  }
  const controllers = colon < 0 ? undefined : written.slice(0, colon).split(",");
  let count = 0;
  const directories = record.directories.map((directory, index) => {
    if (controllers && !has(directory, controllers)) return directory;
    count++;
    return { ...directory, path: (container.directories[index] ?? directory).path + path };
  });
  if (count === 0) throw wrong(written, "names no hierarchy of the container's cgroups");
  return { ...record, directories };
}

function has(directory: RecordedDirectory, controllers: readonly string[]): boolean {
  const own = directory.controllers.split(",");
  return controllers.some((name) => own.includes(name) || own.includes(`name=${name}`));
}

/** "/a/b" for "a/b", "/a/b" and "a//b/"; "" for the cgroup itself. */
function below(path: string, written: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes(".."))
    throw wrong(written, "leads out of the container's cgroup: it must not have a ..");
  return parts.map((part) => `/${part}`).join("");
}

function wrong(written: string, why: string): SpecError {
  return new SpecError("--cgroup", `${JSON.stringify(written)} ${why}`);
}
