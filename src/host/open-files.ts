import { RLIMIT } from "../../ffi/constants/process.ts";
import { attempt, libc } from "../../ffi/libc.ts";
import type { HostFacts } from "../plan/facts.ts";
import { readOr } from "./read.ts";

/**
 * The executable leaves our limit as the caller's is (bin/caller-limits.ts). A Bun that runs bunc from its source has
 * raised its soft limit to the hard one before any of our code runs, and tells nobody what it was. The parent's is what
 * a child inherits unless somebody changes it in between, so that is taken.
 */
export function probeCallerFiles(): HostFacts["callerFiles"] {
  if (Bun.isStandaloneExecutable) return "inherited";
  const own = readLimit(0);
  const parent = readLimit(libc.getppid());
  if (!own || !parent || parent.soft >= own.hard) return "inherited";
  return { soft: parent.soft, hard: own.hard };
}

/** The limits of a process, 0 for this one; undefined when nobody tells. prlimit(2). */
export function readLimit(pid: number): { soft: bigint; hard: bigint } | undefined {
  const limits = new Uint8Array(16);
  if (attempt.prlimit64(pid, RLIMIT.NOFILE, null, limits) < 0)
    return pid === 0 ? undefined : readLimitFile(pid);
  const view = new DataView(limits.buffer);
  return { soft: view.getBigUint64(0, true), hard: view.getBigUint64(8, true) };
}

/** /proc/PID/limits is for everybody to read, prlimit(2) of another user's process is not. */
function readLimitFile(pid: number): { soft: bigint; hard: bigint } | undefined {
  const line = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readOr(`/proc/${pid}/limits`, ""));
  return line?.[1] && line[2] ? { soft: BigInt(line[1]), hard: BigInt(line[2]) } : undefined;
}
