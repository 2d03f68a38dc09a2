import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, O } from "../../../ffi/constants/file.ts";
import type { Program } from "../../../ffi/program/program.ts";

/**
 * Sets how readily the kernel kills the process when memory runs out; children inherit it. proc_pid_oom_score_adj(5).
 * Lowering the value needs CAP_SYS_RESOURCE: rootless callers ask for it all the same, and runc lets it pass.
 * @param value undefined leaves the caller's
 */
export function recordOomScore(program: Program, value: number | undefined): void {
  if (value === undefined) return;
  program.because("process.oomScoreAdj");
  const text = new TextEncoder().encode(String(value));
  const file = program.openat(AT.FDCWD, "/proc/self/oom_score_adj", O.WRONLY | O.CLOEXEC, 0);
  program.write(file, text, text.length).ignore(ERRNO.EACCES);
  program.close(file);
}
