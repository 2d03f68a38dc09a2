import { ERRNO } from "../../../ffi/constants/errno.ts";
import { MAGIC, O, RESOLVE } from "../../../ffi/constants/file.ts";
import { FSCONFIG, FSMOUNT, FSOPEN } from "../../../ffi/constants/mount.ts";
import type { Program, Register } from "../../../ffi/program/program.ts";
import { OPEN_HOW_SIZE, openHow } from "../../../ffi/structs/open-how.ts";
import { type Handle, recordOpenInRoot } from "../in-root.ts";
import type { PlannedSysctl } from "./plan.ts";

/**
 * Writes the parameters through a proc file system that the container cannot have prepared: a detached one, or, where
 * the kernel refuses a new one, the container's own /proc when it is one (CVE-2025-52881).
 */
export function recordSysctl(program: Program, root: Handle, sysctl: readonly PlannedSysctl[]): void {
  if (sysctl.length === 0) return;
  program.because("linux.sysctl");
  const proc = recordProc(program, root);
  const how = openHow(
    O.WRONLY | O.CLOEXEC,
    0,
    RESOLVE.BENEATH | RESOLVE.NO_XDEV | RESOLVE.NO_MAGICLINKS | RESOLVE.NO_SYMLINKS,
  );
  for (const { origin, path, value } of sysctl) {
    program.because(origin);
    const file = program.openat2(proc, path, how, OPEN_HOW_SIZE);
    const bytes = new TextEncoder().encode(value);
    program.write(file, bytes, bytes.length);
    program.close(file);
  }
  program.close(proc);
}

const statfsSize = 120;

function recordProc(program: Program, root: Handle): Register {
  const proc = program.register("proc");
  const refused = program.label("no detached proc");
  const have = program.label("have proc");
  const context = program.fsopen("proc", FSOPEN.CLOEXEC);
  program.fsconfig(context, FSCONFIG.CMD_CREATE, null, null, 0).orJump(refused, ERRNO.EPERM);
  program.fsmount(context, FSMOUNT.CLOEXEC, 0).into(proc).orJump(refused, ERRNO.EPERM).ifNonZero(have);
  program.place(refused);
  recordOpenInRoot(program, root, "/proc", O.PATH | O.DIRECTORY, RESOLVE.NO_SYMLINKS).into(proc);
  const statfs = program.space(statfsSize);
  program.fstatfs(proc, statfs);
  program.expect(statfs, 0xffff_ffffn, MAGIC.PROC_SUPER, ERRNO.EOPNOTSUPP);
  program.place(have);
  program.close(context);
  return proc;
}
