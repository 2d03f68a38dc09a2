import { type Descriptor, exists, readText, stat } from "../../ffi/file.ts";
import type { CgroupRecord } from "../linux/cgroups/cgroup-record.ts";
import { destroyCgroup } from "../linux/cgroups/destroy.ts";
import type { IntelRdtRecord } from "../linux/intel-rdt/groups.ts";
import { StateError } from "../state/error.ts";
import { files, type StateRecord } from "../state/record.ts";
import { load, openContainer, remove } from "../state/store.ts";
import { killInit, openInit, waitForInit } from "./init.ts";
import type { ContainerOptions, DeleteOptions } from "./options.ts";
import { statusOf } from "./state.ts";

/** How long a killed init may take to end: it waits for its whole pid namespace, and for disks. */
const patienceMs = 10_000;

/** Opens a container; undefined when there is none and that is no error. */
function open({ root, id, force }: DeleteOptions): Descriptor | undefined {
  try {
    return openContainer(root, id);
  } catch (error) {
    if (force && error instanceof StateError && error.problem === "missing") return undefined;
    throw error;
  }
}

/** What there is to know of a container; "gone" when somebody else has deleted it while the lock was waited for. */
type Known = StateRecord | "gone" | undefined;

/**
 * The record of a container; undefined when it cannot be had and the container must go all the same. It is missing when
 * `create` was killed on its way: the lock, which we hold, tells that it is not on its way still.
 */
function loadRecord(options: DeleteOptions, directory: Descriptor): Known {
  try {
    return load(options.root, options.id, directory);
  } catch (error) {
    if (!options.force || !(error instanceof StateError)) throw error;
    if (stat(directory.fd).links === 0) return "gone";
    options.log.warn(`${error.message}; what is known of it is removed`);
    return undefined;
  }
}

/** Removes the cgroups that a `create` was about to make, with whoever is in them: the record would have named init. */
function destroyAnnounced(directory: Descriptor): void {
  const path = { dirfd: directory.fd, path: files.cgroups };
  if (!exists(path)) return;
  const { readCgroupRecord } =
    require("../linux/cgroups/cgroup-record.ts") as typeof import("../linux/cgroups/cgroup-record.ts");
  let record: CgroupRecord | null;
  try {
    record = readCgroupRecord(JSON.parse(readText(path)));
  } catch {
    // Written halfway: then nothing was made yet.
    return;
  }
  if (!record) return;
  const { killCgroup } = require("../linux/cgroups/kill.ts") as typeof import("../linux/cgroups/kill.ts");
  killCgroup(record);
  destroyCgroup(record);
}

/** Ends init, and waits for its end: its cgroup and its mounts stay busy until then. */
function endInit(id: string, record: StateRecord): void {
  using pidfd = openInit(record);
  if (!pidfd || !killInit(pidfd, record)) return;
  if (!waitForInit(pidfd, patienceMs)) {
    throw new StateError("conflict", `container "${id}" is still there ${patienceMs / 1000} s after SIGKILL`);
  }
}

/**
 * Removes a container: its processes, its cgroup, its directory last, so that what was interrupted can be repeated.
 * A created container is killed without being asked for: buildah relies on it when it gives up between create and start.
 * @throws StateError "missing" unless forced, "conflict" when it runs and is not forced; SyscallError
 */
export function deleteContainer(options: DeleteOptions): void {
  const { root, id, force } = options;
  using directory = open(options);
  if (!directory) return;
  const record = loadRecord(options, directory);
  if (record === "gone") return;
  if (record) {
    const status = statusOf(root, record);
    if ((status === "running" || status === "paused") && !force) {
      throw new StateError(
        "conflict",
        `container "${id}" is ${status}: stop it first, or use delete --force`,
      );
    }
    destroyContainer(options, record, directory, status === "stopped");
  } else {
    destroyAnnounced(directory);
    const { leaveAnnouncedClass } =
      require("./class-of-service.ts") as typeof import("./class-of-service.ts");
    leaveAnnouncedClass(directory);
    remove(root, id, directory);
  }
}

/**
 * Removes what there is of a container, and runs its poststop hooks.
 * @param directory the container's directory: its lock is held
 * @param stopped its init is known to have ended
 * Throws StateError "conflict" when its init does not end; SyscallError.
 */
export function destroyContainer(
  { root, id, log }: ContainerOptions,
  record: StateRecord,
  directory: Descriptor,
  stopped: boolean,
): void {
  if (!stopped) endInit(id, record);
  if (record.cgroup !== null) {
    destroyCgroup(record.cgroup);
  }
  if (record.intelRdt) {
    const { leaveIntelRdt } =
      require("../linux/intel-rdt/groups.ts") as typeof import("../linux/intel-rdt/groups.ts");
    leaveIntelRdt(record.intelRdt as IntelRdtRecord);
  }
  remove(root, id, directory);
  if (record.hooks) {
    const { runPoststopHooks } = require("./later-hooks.ts") as typeof import("./later-hooks.ts");
    runPoststopHooks(record, log);
  }
}
