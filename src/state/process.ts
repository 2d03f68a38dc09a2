import { ERRNO } from "../../ffi/constants/errno.ts";
import { AT, O } from "../../ffi/constants/file.ts";
import { Descriptor } from "../../ffi/file.ts";
import { attempt, failure } from "../../ffi/libc.ts";
import { decodeText } from "../../ffi/memory.ts";

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
  // Not by openFile: that a container has ended is no error, and to describe one takes 2 ms.
  const fd = attempt.openat(AT.FDCWD, path, O.RDONLY | O.CLOEXEC, 0);
  if (fd === -ERRNO.ENOENT) return undefined;
  if (fd < 0) throw failure("openat", [AT.FDCWD, path, O.RDONLY | O.CLOEXEC, 0], -fd);
  using file = new Descriptor(fd);
  const line = new Uint8Array(1024);
  const length = attempt.read(file.fd, line, line.length);
  // ESRCH: it ended meanwhile.
  return length > 0 ? parseProcess(decodeText(line, length)) : undefined;
}
