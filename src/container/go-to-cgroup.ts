import type { Program } from "../../ffi/program/program.ts";
import type { CgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { recordEnterCgroup, recordMoveToCgroup } from "../linux/cgroups/record.ts";
import { recordAwait } from "./sync.ts";

/**
 * Records: the first process goes into the container's cgroups. Into a scope of systemd it is moved by systemd, which a
 * plain user could not do; bunc lets it go on when that is done, and within the scope it goes by itself.
 * @param born whether the next process is born into that of version 2, so that this one need not go there
 */
export function recordGoToCgroup(program: Program, cgroup: CgroupRecord, sync: number, born: boolean): void {
  if (cgroup.scope) {
    program.because("linux.cgroupsPath");
    recordAwait(program, sync);
  }
  recordEnterCgroup(program, cgroup);
  if (!born) recordMoveToCgroup(program, cgroup);
}

/**
 * Why a launch is begun once more. A process can be killed by its birth: since Linux 6.13 the kernel compares how often
 * cgroup.kill was written in the cgroup of the maker and in the one that CLONE_INTO_CGROUP names, and takes the child for
 * one that should have been killed when the two differ. Nobody can read these counts, so that is found out by trying; a
 * process that moves itself is not asked for them.
 */
export const killedByBirth =
  "linux.cgroupsPath: the process that was born into the container's cgroup was killed before its first word, as it happens where cgroup.kill was once written in bunc's own; so it is made again, and moved there instead";
