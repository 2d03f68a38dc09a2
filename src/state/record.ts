/** Version of the form of state.json. Raise it when an older bunc could misread what a newer one wrote. */
export const recordVersion = 1;

/** Version of the runtime specification that the printed state follows. */
export const ociVersion = "1.3.0";

/** Names of the files in a container's directory. */
export const files = {
  record: "state.json",
  /** FIFO on which init waits for `start`; `start` removes it, so it is there only while the status is created. */
  startFifo: "start",
  /** FIFO on which init reports why the container's own program could not be run. */
  resultFifo: "result",
  /** Image of init's program: by it `start` explains the step that failed. */
  program: "program",
  /** Images of the programs of startContainer hooks; the hook's index is appended. */
  startHook: "startContainer.",
  /** The container's config.json, as it was at create: what `exec` starts from, whatever becomes of the bundle. */
  config: "config.json",
  /** Directory that the container sees as /run/notify, with the socket on which it says that it is ready. */
  notify: "notify",
  /** Socket on which init waits for `start` to take the listener of a filter of system calls. */
  handOver: "listener",
  /** Socket of the supervisor of root emulation, which takes the listeners of further processes. */
  supervisor: "supervisor",
  /** What cgroups there may be, written before any is made: for `delete --force` when there is no record. */
  cgroups: "cgroups",
  /** The same of resctrl. */
  intelRdt: "intelRdt",
} as const;

/** What bunc remembers of a container between two commands: the content of state.json. */
export interface StateRecord {
  /** Written by src/state/brief.ts alone, for src/prelude. */
  readonly brief?: unknown;
  readonly version: typeof recordVersion;
  readonly ociVersion: string;
  readonly id: string;
  /** Init, as the creator's pid namespace numbers it. */
  readonly pid: number;
  /** Clock ticks between boot and init's start: tells init from a later process with its number. */
  readonly processStartTime: number;
  /** Absolute paths. */
  readonly bundle: string;
  readonly rootfs: string;
  /** RFC 3339 with nanoseconds, UTC. */
  readonly created: string;
  /** Name of the user who made the container. */
  readonly owner: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** process.args[0]; empty when config.json has no process, which can then not be started. */
  readonly executable: string;
  /** Written and read by src/linux/cgroups alone; null when the container has no cgroup of its own. */
  readonly cgroup: unknown;
  /** Written and read by src/linux/intel-rdt alone; null when the container is in no class of its choice. */
  readonly intelRdt: unknown;
  /** Name of the session keyring; "" when the container has none of its own. */
  readonly keyring: string;
  /** Whether calls are answered for the container's root, as src/linux/root-emulation has planned it. */
  readonly rootEmulation: unknown;
  /** Whether there is the directory `files.notify`. */
  readonly notify: boolean;
  /** Who gets the listener of a filter, written and read by src/container/hand-over.ts alone; null for nobody. */
  readonly listener: unknown;
  /** The hooks of later commands, written and read by src/linux/hooks alone; null when there are none. */
  readonly hooks: unknown;
}
