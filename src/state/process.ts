import { ERRNO } from "../../ffi/constants/errno.ts";
import { AT, O } from "../../ffi/constants/file.ts";
import { attemptText } from "../../ffi/file.ts";
import { failure } from "../../ffi/libc.ts";

/** What /proc says of a process. */
export interface ProcessFacts {
  /** One letter: R running, S sleeping, D waiting, T stopped, Z zombie, X dead … proc_pid_stat(5), field 3. */
  readonly state: string;
  /** Clock ticks between boot and start. Field 22. */
  readonly startTime: number;
}

/** Reads the two facts out of a line of /proc/PID/stat; undefined when it is not one. */
export function parseProcess(line: string): ProcessFacts | undefined {
  // The command's name may hold spaces and parentheses; after the last one come plain fields.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  const startTime = Number(fields[19]);
  return state && Number.isSafeInteger(startTime) ? { state, startTime } : undefined;
}

/** What /proc says of a process; undefined when there is none with that number. Throws SyscallError. */
export function readProcess(pid: number): ProcessFacts | undefined {
  const path = `/proc/${pid}/stat`;
  const line = attemptText(path, 1024);
  if (typeof line === "string") return parseProcess(line);
  // ESRCH: it ended meanwhile.
  if (line === -ERRNO.ENOENT || line === -ERRNO.ESRCH) return undefined;
  throw failure("openat", [AT.FDCWD, path, O.RDONLY | O.CLOEXEC, 0], -line);
}
