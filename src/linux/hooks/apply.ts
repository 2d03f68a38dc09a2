import { AT, O } from "../../../ffi/constants/file.ts";
import { SIG } from "../../../ffi/constants/signal.ts";
import { createDataFile } from "../../../ffi/data-file.ts";
import { SyscallError } from "../../../ffi/error.ts";
import { Descriptor, openFile, writeAll } from "../../../ffi/file.ts";
import { attempt, libc } from "../../../ffi/libc.ts";
import { openPipe, spawn } from "../../../ffi/process.ts";
import { SpecError } from "../../spec/error.ts";
import { awaitEnd, type HookEnd } from "./await-end.ts";
import type { PlannedHook } from "./plan.ts";
import { type HookState, renderState } from "./state.ts";

/** Standard streams of a hook: `stdin` has the state. */
export interface HookStreams {
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
}

/** As crun calls them: files to which hooks append what they write. A path is seen from where bunc is called. */
export const hookOutputAnnotations = {
  stdout: "run.oci.hooks.stdout",
  stderr: "run.oci.hooks.stderr",
} as const;

/**
 * Runs a hook to its end.
 * @param start starts it as a child of this process and returns its pid
 * Throws SpecError when it fails or takes longer than its timeout, with what it has said; whatever `start` throws.
 */
export function runHook(hook: PlannedHook, state: HookState, start: (streams: HookStreams) => number): void {
  using stdin = fileOf(renderState(state));
  const [output, writer] = openPipe();
  using reader = output;
  let pid: number;
  {
    using said = writer;
    using stdout = annotatedFile(state, "stdout");
    using stderr = annotatedFile(state, "stderr");
    pid = start({ stdin: stdin.fd, stdout: (stdout ?? said).fd, stderr: (stderr ?? said).fd });
  }
  const end = awaitEndOf(pid, reader.fd, hook.timeout);
  if (end.status !== 0 || end.timedOut) throw new SpecError(hook.origin, describeEnd(hook, end));
}

/** The file that an annotation names for a stream, made when it is missing. Throws SpecError. */
function annotatedFile(
  { annotations }: HookState,
  stream: keyof typeof hookOutputAnnotations,
): Descriptor | undefined {
  const name = hookOutputAnnotations[stream];
  const path = annotations[name];
  if (path === undefined) return undefined;
  try {
    return openFile(path, O.WRONLY | O.CREAT | O.APPEND, 0o700);
  } catch (cause) {
    throw new SpecError(`annotations["${name}"]`, "names a file that cannot be opened", { cause });
  }
}

/** A hook whose end cannot be awaited must not be left: as a zombie it would keep its pid namespace from ending. */
function awaitEndOf(pid: number, output: number, timeout: number | null): HookEnd {
  try {
    return awaitEnd(pid, output, timeout);
  } catch (error) {
    attempt.kill(pid, SIG.KILL);
    attempt.wait4(pid, null, 0, null);
    throw error;
  }
}

/**
 * A file without a name, ready to be read. Unlike a pipe it takes any length at once, and does not mind a hook that
 * reads nothing.
 */
function fileOf(text: string): Descriptor {
  const file = createDataFile("state");
  writeAll(file.fd, text);
  libc.lseek(file.fd, 0, 0);
  return file;
}

function describeEnd({ path, timeout }: PlannedHook, { status, signal, timedOut, output }: HookEnd): string {
  const said = oneLine(output);
  const how = timedOut
    ? `did not end within its timeout of ${timeout} s and was killed`
    : signal === 0
      ? `failed with exit status ${status}`
      : `was ended by ${signalName(signal)}`;
  return `${how} (${path})${said === "" ? "" : `: ${said}`}`;
}

function signalName(signal: number): string {
  const name = Object.entries(SIG).find(([, number]) => number === signal)?.[0];
  return name === undefined ? `signal ${signal}` : `SIG${name}`;
}

/** What a program wrote, as part of a message: a container's may hold anything, sequences for terminals too. */
export function oneLine(output: string): string {
  const lines = output.split("\n").map((line) => line.replace(/\p{Cc}+/gu, " ").trim());
  return lines.filter((line) => line !== "").join("; ");
}

/**
 * Starts a hook where bunc itself runs, in the bundle's directory.
 * Returns its pid. Throws SpecError when it cannot be executed.
 */
export function spawnHook(hook: PlannedHook, bundle: string, streams: HookStreams): number {
  try {
    return inDirectory(bundle, () => spawn(hook.path, hook.args, hook.env, streams));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new SpecError(hook.origin, `could not be executed (${hook.path})`, { cause: error });
  }
}

/** A hook's bundle may be gone by the time of `delete`; then it starts in the root directory. */
function inDirectory<T>(path: string, action: () => T): T {
  const before = attempt.openat(AT.FDCWD, ".", O.PATH | O.DIRECTORY | O.CLOEXEC, 0);
  if (before < 0) return action();
  using directory = new Descriptor(before);
  if (attempt.chdir(path) < 0) attempt.chdir("/");
  try {
    return action();
  } finally {
    attempt.fchdir(directory.fd);
  }
}
