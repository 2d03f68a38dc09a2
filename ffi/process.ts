// Other programs that the runtime starts itself: hooks and helpers. Container processes are ffi/program's.
import { ERRNO } from "./constants/errno.ts";
import { ACCESS, AT, O } from "./constants/file.ts";
import { CLOSE_RANGE } from "./constants/process.ts";
import { Descriptor, readInto } from "./file.ts";
import { attempt, failure, libc } from "./libc.ts";
import { decodeText } from "./memory.ts";
import { posixSpawn } from "./posix-spawn.ts";

/** What a program started by spawn inherits; its own numbers 0, 1 and 2 are the runtime's unless said otherwise. */
export interface SpawnOptions {
  readonly stdin?: number;
  readonly stdout?: number;
  readonly stderr?: number;
  /** Further descriptors, under the numbers they have here. */
  readonly keep?: readonly number[];
}

/**
 * Starts a program with all signals at their defaults and no other descriptors than those asked for.
 * @param path as execve(2) takes it: no search in PATH
 * @param env NAME=value
 * Returns its pid. Throws SyscallError, also when it cannot be executed.
 */
export function spawn(
  path: string,
  argv: readonly string[],
  env: readonly string[],
  options: SpawnOptions = {},
): number {
  // Callers leak descriptors into the runtime (buildah its pipes); a hook that lives on would hold them open.
  attempt.close_range(3, 0xffff_ffff, CLOSE_RANGE.CLOEXEC);
  const { stdin = 0, stdout = 1, stderr = 2, keep = [] } = options;
  return posixSpawn({ path, argv, env, keep, standard: [stdin, stdout, stderr] });
}

/** How a process ended. */
export interface Ending {
  /** Its exit status, 0 to 255; 128 and the signal when one ended it, as shells say it. */
  readonly status: number;
  /** The signal that ended it; 0 when it exited. */
  readonly signal: number;
}

/** Waits until a child of this process has ended. wait4(2). Throws SyscallError, ECHILD for another's child. */
export function waitFor(pid: number): Ending {
  // Each kind of typed array costs 0.03 ms when it is used first: of the signed ones there is none in create.
  const status = new Uint32Array(1);
  const args = [pid, new Uint8Array(status.buffer), 0, null] as const;
  for (;;) {
    const result = attempt.wait4(...args);
    if (result >= 0) return decodeStatus(status[0] ?? 0);
    if (result !== -ERRNO.EINTR) throw failure("wait4", args, -result);
  }
}

/** A status of wait4(2). */
export function decodeStatus(status: number): Ending {
  const signal = status & 0x7f;
  return { status: signal === 0 ? (status >> 8) & 0xff : 128 + signal, signal };
}

/** What a helper answered: its exit status, and what it wrote to stdout and stderr, in the order written. */
export interface Captured {
  readonly status: number;
  readonly output: string;
}

/** The path of a program as execvp(3) finds it in the runtime's PATH; undefined when it is nowhere. */
export function findProgram(name: string): string | undefined {
  if (name.includes("/")) return name;
  for (const directory of (process.env.PATH || "/usr/sbin:/usr/bin:/sbin:/bin").split(":")) {
    const path = `${directory || "."}/${name}`;
    if (attempt.faccessat2(AT.FDCWD, path, ACCESS.X_OK, AT.EACCESS) === 0) return path;
  }
  return undefined;
}

/**
 * Runs a helper to its end with no input and only PATH in its environment.
 * @param name found as execvp(3) finds it
 * Returns undefined when there is no such program. Throws SyscallError when it cannot be executed.
 */
export function runCaptured(name: string, argv: readonly string[]): Captured | undefined {
  const path = findProgram(name);
  if (path === undefined) return undefined;
  const [output, input] = openPipe();
  using reader = output;
  let pid: number;
  try {
    using nothing = new Descriptor(libc.openat(AT.FDCWD, "/dev/null", O.RDONLY | O.CLOEXEC, 0));
    const env = [`PATH=${process.env.PATH ?? ""}`];
    pid = spawn(path, argv, env, { stdin: nothing.fd, stdout: input.fd, stderr: input.fd });
  } finally {
    // Ours must be closed: the end of the output is when nobody holds this end any more.
    input.close();
  }
  const text = readToEnd(reader.fd);
  return { status: waitFor(pid).status, output: text };
}

/** A pipe whose ends are close-on-exec. pipe2(2). */
export function openPipe(): [reader: Descriptor, writer: Descriptor] {
  const fds = new Int32Array(2);
  libc.pipe2(new Uint8Array(fds.buffer), O.CLOEXEC);
  return [new Descriptor(fds[0] ?? -1), new Descriptor(fds[1] ?? -1)];
}

function readToEnd(fd: number): string {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = new Uint8Array(4096);
    const length = readInto(fd, chunk);
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
  }
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return decodeText(all, all.length);
}
