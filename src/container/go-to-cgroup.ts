import type { Program } from "../../ffi/program/program.ts";
import type { CgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { recordEnterCgroup, recordMoveToCgroup } from "../linux/cgroups/record.ts";
import { recordAwait } from "./sync.ts";

/**
 * Records: the first process goes into the container's cgroups. Into a scope of systemd it is moved by systemd, which a
 * plain user could not do; bunc lets it go on when that is done, and within the scope it goes by itself.
 */
export function recordGoToCgroup(program: Program, cgroup: CgroupRecord, sync: number): void {
  if (cgroup.scope) {
    program.because("linux.cgroupsPath");
    recordAwait(program, sync);
  }
  recordEnterCgroup(program, cgroup);
  if (cgroup.scope) recordMoveToCgroup(program, cgroup);
}
