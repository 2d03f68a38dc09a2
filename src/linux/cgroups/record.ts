import { AT, O } from "../../../ffi/constants/file.ts";
import type { Program } from "../../../ffi/program/program.ts";
import { type CgroupRecord, directoriesOf, unifiedPath } from "./cgroup-record.ts";

export type { CgroupRecord } from "./cgroup-record.ts";

/**
 * Records: the process enters the container's cgroups of version 1. A thread that moves itself, and only itself, does
 * not make the kernel stop all forking (which costs some 10 ms): hence `tasks` rather than cgroup.procs, and 0 rather
 * than a pid. It is the whole process, for it has one thread. Linux 5.5.
 * The cgroup of version 2 is entered by birth: CLONE_INTO_CGROUP, with the descriptor of openCgroup.
 */
export function recordEnterCgroup(program: Program, record: CgroupRecord): void {
  program.because("linux.cgroupsPath");
  const self = program.text("0");
  for (const { controllers, path } of directoriesOf(record)) {
    if (controllers === "") continue;
    const tasks = program.openat(AT.FDCWD, `${path}/tasks`, O.WRONLY | O.CLOEXEC, 0);
    program.write(tasks, self, 1);
    program.close(tasks);
  }
}

/**
 * Records: a process that was born elsewhere moves itself into the container's cgroup of version 2. The kernel stops all
 * forking for that, and a namespace of cgroups that is delegated lets nobody in from outside, so it comes before joining.
 */
export function recordMoveToCgroup(program: Program, record: CgroupRecord): void {
  const path = unifiedPath(record);
  if (path === undefined) return;
  program.because("linux.cgroupsPath");
  const processes = program.openat(AT.FDCWD, `${path}/cgroup.procs`, O.WRONLY | O.CLOEXEC, 0);
  program.write(processes, program.text("0"), 1);
  program.close(processes);
}
