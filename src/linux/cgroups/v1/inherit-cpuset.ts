import { readText, writeValue } from "../../../../ffi/file.ts";
import type { PlannedDirectory } from "../planned.ts";

/**
 * A new cgroup of version 1 has no processors and no memory nodes, and nothing can enter it before it has some: it gets
 * those of its parent, which may be new, too. Documentation/admin-guide/cgroup-v1/cpusets.rst. Throws SyscallError.
 */
export function inheritCpuset({ path, mountpoint }: PlannedDirectory): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) inherit(path, mountpoint, file);
}

/** Returns the value that the file has afterwards. */
function inherit(path: string, mountpoint: string, file: string): string {
  const own = readText(`${path}/${file}`).trim();
  if (own !== "" || path === mountpoint) return own;
  const inherited = inherit(path.slice(0, path.lastIndexOf("/")), mountpoint, file);
  writeValue(`${path}/${file}`, inherited);
  return inherited;
}
