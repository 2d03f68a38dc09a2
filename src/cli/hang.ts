import { O } from "../../ffi/constants/file.ts";
import { SIG } from "../../ffi/constants/signal.ts";
import { POLL } from "../../ffi/constants/socket.ts";
import { openFile, readLink, readText } from "../../ffi/file.ts";
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
  /** Which namespaces of this process somebody outside is not in; none when there is nothing to be entered. */
  readonly own: readonly string[];
  /** The container's init; 0 when there is none. */
  readonly init: number;
  /** Which of init's. */
  readonly inits: readonly string[];
  /** Absolute; undefined for commands without one. */
  readonly bundle: string | undefined;
}

/** Namespaces under /proc/PID/ns, and nsenter(1)'s names for them. */
const options: Readonly<Record<string, string>> = {
  user: "--user",
  mnt: "--mount",
  uts: "--uts",
  ipc: "--ipc",
  net: "--net",
  pid: "--pid",
  cgroup: "--cgroup",
};

/** Not --all: a namespace that one is in already cannot always be entered again. */
function enter(names: readonly string[], pid: number): string {
  const flags: string[] = [];
  for (const name in options) if (names.includes(name)) flags.push(options[name] ?? "");
  // Root of a user namespace may have no other ids to become.
  if (names.includes("user")) flags.push("--preserve-credentials");
  return `nsenter ${flags.join(" ")} --target ${pid}`;
}

/** The lines for a person. @param command the command with the container's id */
export function describeHang(command: string, surroundings: Surroundings): string[] {
  const { pid, own, init, inits, bundle } = surroundings;
  return [
    `stopped before ${command}: process ${pid}`,
    ...(bundle === undefined ? [] : [`the bundle is ${bundle}`]),
    ...(own.length === 0 ? [] : [`to see what it sees: ${enter(own, pid)}`]),
    ...(init === 0 ? [] : [`to look into the container: ${enter(inits, init)}`]),
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
  const init = id === "" ? 0 : initOf(session.globals.root, id);
  const own = ownNamespaces();
  const lines = describeHang(`${command} ${id}`.trim(), {
    pid: libc.getpid(),
    own,
    init,
    inits: init === 0 ? [] : namespacesOf(init, own),
    bundle: typeof values.bundle === "string" ? absolute(values.bundle) : undefined,
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

function absolute(path: string): string {
  if (path.startsWith("/")) return path;
  return path === "." ? process.cwd() : `${process.cwd()}/${path}`;
}

function initOf(root: string | undefined, id: string): number {
  try {
    return load(stateRoot(root, false), id).pid;
  } catch {
    return 0;
  }
}

/** buildah runs bunc in mounts of its own, and for a plain user in a user namespace. */
function ownNamespaces(): string[] {
  if (isInUserNamespace()) return ["user", "mnt"];
  // Who may not enter namespaces has not made any.
  return attempt.geteuid() === 0 ? ["mnt"] : [];
}

/** Those that the container does not share with this process, and those that this process is in. */
function namespacesOf(init: number, own: readonly string[]): string[] {
  return Object.keys(options).filter((name) => {
    if (own.includes(name) || name === "mnt") return true;
    try {
      return readLink(`/proc/${init}/ns/${name}`) !== readLink(`/proc/self/ns/${name}`);
    } catch {
      return false;
    }
  });
}

function isInUserNamespace(): boolean {
  try {
    return !/^\s*0\s+0\s+4294967295\s*$/.test(readText("/proc/self/uid_map"));
  } catch {
    return false;
  }
}
