import type { RootEmulationMode } from "../linux/root-emulation/plan.ts";
import type { ProcessOverrides } from "../plan/exec-process.ts";

export type { RootEmulationMode };

/** Where messages for people go; src/cli/log.ts is the one there is. Each message is one line. */
export interface Logger {
  /** Printed with --debug only. */
  debug(message: string): void;
  info(message: string): void;
  /** Something that the user should know, though the command goes on. */
  warn(message: string): void;
}

/** Who makes and removes cgroups: bunc through the file system, systemd, or nobody. */
export type CgroupManager = "cgroupfs" | "systemd" | "disabled";

/** What every operation on a container is told. */
export interface ContainerOptions {
  /** State root; exists for create and run. */
  readonly root: string;
  readonly id: string;
  readonly log: Logger;
}

export interface StartOptions extends ContainerOptions {
  /** $NOTIFY_SOCKET: where the caller waits for READY=1, a path or `@NAME`; undefined when it does not. */
  readonly notifySocket: string | undefined;
}

/** `create`: all paths are as the caller wrote them, seen from the current directory. */
export interface CreateOptions extends StartOptions {
  readonly bundle: string;
  /** Another file than config.json of the bundle. */
  readonly configPath: string | undefined;
  readonly pidFile: string | undefined;
  readonly consoleSocket: string | undefined;
  readonly pidfdSocket: string | undefined;
  /** Enter the root file system by moving it onto / instead of by pivot_root(2). */
  readonly noPivot: boolean;
  /** Give the container a session keyring of its own. */
  readonly newKeyring: boolean;
  /** Leave the process the caller's supplementary groups. */
  readonly keepGroups: boolean;
  /** How many descriptors from 3 on are sockets that activate the container. sd_listen_fds(3). */
  readonly listenFds: number;
  /** How many descriptors the container keeps beside them. */
  readonly preserveFds: number;
  readonly cgroupManager: CgroupManager;
  /** Whether cgroups that may not be made are gone without: "auto" when bunc has not root's powers. */
  readonly rootless: boolean | "auto";
  /** Whether calls that take a root with many ids are answered instead of made; undefined when nobody has said. */
  readonly rootEmulation: RootEmulationMode | undefined;
}

/** `run`: create, start, wait. */
export interface RunOptions extends CreateOptions {
  /** Return once the container runs instead of waiting for it. */
  readonly detach: boolean;
  /** Leave the stopped container for `delete`. */
  readonly keep: boolean;
  /** Adopt the container's orphans while waiting. */
  readonly subreaper: boolean;
}

/** `exec`: paths as the caller wrote them, but for `cgroups`. */
export interface ExecOptions extends ContainerOptions {
  /** A file with a process document, in place of config.json's process. */
  readonly processPath: string | undefined;
  /** What the command line says of the process. */
  readonly process: ProcessOverrides;
  readonly detach: boolean;
  readonly pidFile: string | undefined;
  readonly consoleSocket: string | undefined;
  readonly pidfdSocket: string | undefined;
  /** Leave the process the caller's supplementary groups. */
  readonly keepGroups: boolean;
  /** How many descriptors from 3 on the process keeps. */
  readonly preserveFds: number;
  /** Cgroups beneath the container's: PATH, or CONTROLLER:PATH. */
  readonly cgroups: readonly string[];
  /** Go on in a paused container: the process runs when it is resumed. */
  readonly ignorePaused: boolean;
}

export interface KillOptions extends ContainerOptions {
  /** Signal number; 0 only asks whether the container could be signalled. */
  readonly signal: number;
  /** Every process of the container, not only init. */
  readonly all: boolean;
}

export interface DeleteOptions extends ContainerOptions {
  /** Kill it first when it runs, and be content when it does not exist. */
  readonly force: boolean;
}
