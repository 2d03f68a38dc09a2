import { readText } from "../../ffi/file.ts";

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

/** What /proc says of a process; undefined when there is none with that number. */
export function readProcess(pid: number): ProcessFacts | undefined {
  let line: string;
  try {
    line = readText(`/proc/${pid}/stat`);
  } catch {
    // ENOENT before the process is looked up, ESRCH when it dies between open and read; both mean the same.
    return undefined;
  }
  return parseProcess(line);
}
