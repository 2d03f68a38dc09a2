import { exists } from "../../ffi/file.ts";
import { isPaused } from "../linux/cgroups/frozen.ts";
import { readProcess } from "../state/process.ts";
import { files, type StateRecord } from "../state/record.ts";
import { decideStatus, type Status } from "../state/status.ts";
import { directoryOf, load } from "../state/store.ts";

/** The state of a container as it is printed: runtime.md, State, and what runc adds to it. In runc's order. */
export interface ContainerState {
  readonly ociVersion: string;
  readonly id: string;
  /** Init; 0 when the container is stopped. */
  readonly pid: number;
  readonly status: Status;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner: string;
}

/** The status of a container at this moment. */
export function statusOf(root: string, record: StateRecord): Status {
  const process = readProcess(record.pid);
  return decideStatus(record, {
    process,
    frozen: process !== undefined && isPaused(record.cgroup),
    waiting: exists(`${directoryOf(root, record.id)}/${files.startFifo}`),
  });
}

/**
 * The state of a container at this moment. Takes no lock, so that it answers whatever else goes on.
 * @throws StateError "missing", "damaged", "invalid"
 */
export function stateOf(root: string, id: string): ContainerState {
  const record = load(root, id);
  const status = statusOf(root, record);
  return {
    ociVersion: record.ociVersion,
    id,
    pid: status === "stopped" ? 0 : record.pid,
    status,
    bundle: record.bundle,
    rootfs: record.rootfs,
    created: record.created,
    ...(Object.keys(record.annotations).length > 0 ? { annotations: record.annotations } : {}),
    owner: record.owner,
  };
}
