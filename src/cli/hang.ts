import { O } from "../../ffi/constants/file.ts";
import { SIG } from "../../ffi/constants/signal.ts";
import { POLL } from "../../ffi/constants/socket.ts";
import { openFile, readText } from "../../ffi/file.ts";
import { attempt, libc } from "../../ffi/libc.ts";
import { encodeText } from "../../ffi/memory.ts";
import { catchSignals } from "../../ffi/signals.ts";
import { isTerminal } from "../container/raw-terminal.ts";
import { stateRoot } from "../state/root.ts";
import { load } from "../state/store.ts";
import type { Session } from "./globals.ts";

/** What is known of the command that waits, from its arguments. */
export interface HungValues {
  readonly [name: string]: unknown;
}

/** Where somebody who looks around can go. */
export interface Surroundings {
  /** This process: it sees what the command will see, the bundle of buildah's private mounts for example. */
  readonly pid: number;
  /** The container's init; 0 when there is none. */
  readonly init: number;
  /** As an argument names it; undefined for commands without one. */
  readonly bundle: string | undefined;
  /** Root of a user namespace has no other ids to become. */
  readonly inUserNamespace: boolean;
}

/** The lines for a person. @param command the command with the container's id */
export function describeHang(
  command: string,
  { pid, init, bundle, inUserNamespace }: Surroundings,
): string[] {
  const enter = `nsenter --all${inUserNamespace ? " --preserve-credentials" : ""} --target`;
  return [
    `stopped before ${command}: process ${pid}`,
    ...(bundle === undefined ? [] : [`the bundle is ${bundle}`]),
    `to see what it sees: ${enter} ${pid}`,
    ...(init === 0 ? [] : [`to look into the container: ${enter} ${init}`]),
    `to go on: kill -CONT ${pid}`,
  ];
}

/**
 * Waits before a command until SIGCONT comes, and says on standard error, on the caller's terminal and in the log how to
 * look around meanwhile. Other signals end the process as ever.
 */
export function hang(command: string, values: HungValues, session: Session): void {
  const id = typeof values.id === "string" ? values.id : "";
  // Before anybody is told where to send it.
  using signals = catchSignals([SIG.CONT]);
  const lines = describeHang(`${command} ${id}`.trim(), {
    pid: libc.getpid(),
    init: id === "" ? 0 : initOf(session.globals.root, id),
    bundle: typeof values.bundle === "string" ? absolute(values.bundle) : undefined,
    inUserNamespace: isInUserNamespace(),
  });
  for (const line of lines) session.log.info(line);
  tell(lines.map((line) => `bunc: ${line}\n`).join(""));
  const poll = new Uint8Array(8);
  const view = new DataView(poll.buffer);
  view.setInt32(0, signals.fd, true);
  view.setInt16(4, POLL.IN, true);
  while (attempt.ppoll(poll, 1, null, null, 0) <= 0);
}

/** buildah shows what `create` prints only when it has failed, so the terminal is told, too, when there is one. */
function tell(text: string): void {
  const bytes = encodeText(text);
  attempt.write(2, bytes, bytes.length);
  if (isTerminal(2)) return;
  try {
    using terminal = openFile("/dev/tty", O.WRONLY | O.NOCTTY | O.NONBLOCK);
    attempt.write(terminal.fd, bytes, bytes.length);
  } catch {
    // Most callers have none.
  }
}

function initOf(root: string | undefined, id: string): number {
  try {
    return load(stateRoot(root, false), id).pid;
  } catch {
    return 0;
  }
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${process.cwd()}/${path === "." ? "" : path}`.replace(/\/$/, "");
}

function isInUserNamespace(): boolean {
  try {
    return !/^\s*0\s+0\s+4294967295\s*$/.test(readText("/proc/self/uid_map"));
  } catch {
    return false;
  }
}
