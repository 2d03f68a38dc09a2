// Requests of a process to its security module, for the rooms of those modules.
import { ERRNO } from "../../ffi/constants/errno.ts";
import { AT, MAGIC, O } from "../../ffi/constants/file.ts";
import type { Program } from "../../ffi/program/program.ts";

/** Bytes of struct statfs; the type of the file system is its first word. */
const statfsSize = 120;

/**
 * Writes one of the process's own security attributes. Nothing but a file of procfs is written to: whoever could put
 * another one in its place would leave the process without its label, and nobody would know. proc_pid_attr(5).
 * @param names files beneath /proc/thread-self/attr, of which the first that exists is taken
 */
export function recordOwnAttribute(program: Program, names: readonly string[], value: string): void {
  const file = program.register(names[0] ?? "", 0);
  const opened = program.label(`${names[0]} opened`);
  names.forEach((name, index) => {
    const path = `/proc/thread-self/attr/${name}`;
    const step = program.openat(AT.FDCWD, path, O.WRONLY | O.CLOEXEC, 0).into(file);
    if (index < names.length - 1) step.ignore(ERRNO.ENOENT).ifNonZero(opened);
  });
  program.place(opened);
  const statfs = program.space(statfsSize);
  program.fstatfs(file, statfs);
  program.expect(statfs, 0xffff_ffffn, MAGIC.PROC_SUPER, ERRNO.EOPNOTSUPP);
  program.write(file, program.text(value), new TextEncoder().encode(value).length);
  program.close(file);
}
