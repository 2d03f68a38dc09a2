import { AT, F, MFD, O, RESOLVE } from "../../ffi/constants/file.ts";
import { Descriptor, openFile, readLink, readText, writeAll, writeFile } from "../../ffi/file.ts";
import { attempt, libc } from "../../ffi/libc.ts";
import { spawn } from "../../ffi/process.ts";
import { OPEN_HOW_SIZE, openHow } from "../../ffi/structs/open-how.ts";
import { controllerPath, readCgroupRecord, unifiedPath } from "../linux/cgroups/cgroup-record.ts";
import type { CriuOptions, Notification, PageServer } from "../linux/criu/messages.ts";
import { CriuEnd, CriuSession } from "../linux/criu/session.ts";
import { SpecError } from "../spec/error.ts";
import { parseConfig } from "../spec/parse.ts";
import type { Config } from "../spec/types.ts";
import { StateError } from "../state/error.ts";
import type { StateRecord } from "../state/record.ts";
import { load, openContainer } from "../state/store.ts";
import {
  type CriuChoices,
  CriuDirectories,
  checkAnswer,
  checkVersion,
  commonOptions,
  criuError,
  externalNamespace,
  externalNamespaces,
  findCriu,
  reasonsIn,
} from "./criu.ts";
import { destroyContainer } from "./delete.ts";
import { ContainerError } from "./error.ts";
import { dumpedMounts, parseMountinfo } from "./external-mounts.ts";
import { readReceiver } from "./hand-over.ts";
import { openInit } from "./init.ts";
import { readKeptConfig } from "./kept-config.ts";
import type { ContainerOptions } from "./options.ts";
import { statusOf } from "./state.ts";
import { descriptorsFile, readStreams } from "./streams.ts";

/** `checkpoint`: paths as the caller wrote them, but for `parentPath`. */
export interface CheckpointOptions extends ContainerOptions, CriuChoices {
  /** Images of an earlier pre-dump, relative to `imagePath`. */
  readonly parentPath: string | undefined;
  /** Only the memory, and the container goes on. */
  readonly preDump: boolean;
  readonly leaveRunning: boolean;
  readonly pageServer: PageServer | undefined;
  /** Gets a null byte and is closed when lazy pages can be asked for; undefined when nobody waits for that. */
  readonly statusFd: number | undefined;
}

const origin = "checkpoint";

/**
 * `checkpoint`: has criu write a container's processes into a directory. The container is gone afterwards, unless it is
 * to be left running.
 * Throws StateError when it does not run, ContainerError when criu is missing or fails, and then the container goes on.
 */
export function checkpointContainer(options: CheckpointOptions): void {
  const { root, id, log } = options;
  using directory = openContainer(root, id);
  const record = load(root, id, directory);
  const status = statusOf(root, record);
  if (status !== "running") {
    throw new StateError("conflict", `cannot checkpoint container "${id}": it is ${status}, not running`);
  }
  using init = openInit(record);
  if (!init)
    throw new StateError("conflict", `cannot checkpoint container "${id}": it is stopped, not running`);
  refuseListeners(record);
  const config = parseConfig(readKeptConfig(options));
  refuseMappedMounts(config);
  const criu = findCriu(origin, options.criu);
  checkStatusFd(options.statusFd);
  {
    using directories = new CriuDirectories(options, "dump.log", true);
    checkParent(options, directories);
    dump(options, record, config, directories, criu);
  }
  if (options.leaveRunning || options.preDump) return;
  destroyContainer(options, record, directory, false);
  log.debug(`container "${id}" is in ${options.imagePath} now`);
}

function dump(
  options: CheckpointOptions,
  record: StateRecord,
  config: Config,
  directories: CriuDirectories,
  criu: string,
): void {
  const { id, preDump, parentPath, lazyPages, log } = options;
  const what = `${preDump ? "pre-dump" : "dump"} container "${id}"`;
  try {
    using output = new Descriptor(libc.memfd_create("criu", MFD.CLOEXEC));
    using session = startCriu(criu, output.fd);
    checkVersion(origin, session.askVersion(), log);
    if (preDump || parentPath !== undefined || lazyPages) checkFeatures(session, options, output.fd);
    const external = preDump ? {} : describeOutside(record, config, directories, options.shellJob);
    const answer = session.request(
      preDump ? "preDump" : "dump",
      { ...dumpOptions(options, record, directories), ...external },
      (event, descriptor) => {
        descriptor?.close();
        tellReady(event, options.statusFd);
      },
    );
    checkAnswer(answer, origin, what, directories);
  } catch (error) {
    throw error instanceof CriuEnd ? criuError(origin, what, error.message, directories) : error;
  }
}

/** @param output gets what criu says before it has a log */
function startCriu(path: string, output: number): CriuSession {
  using nothing = openFile("/dev/null", O.RDONLY);
  const env = Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ""}`);
  return new CriuSession((socket) =>
    spawn(path, ["criu", "swrk", String(socket)], env, {
      stdin: nothing.fd,
      stdout: output,
      stderr: output,
      keep: [socket],
    }),
  );
}

function dumpOptions(
  options: CheckpointOptions,
  record: StateRecord,
  directories: CriuDirectories,
): CriuOptions {
  const cgroup = readCgroupRecord(record.cgroup);
  const freezer = cgroup ? (controllerPath(cgroup, "freezer") ?? unifiedPath(cgroup)) : undefined;
  return {
    ...commonOptions(options, record.annotations),
    ...directories.options,
    pid: record.pid,
    root: record.rootfs,
    leaveRunning: options.leaveRunning,
    parentImg: options.parentPath,
    trackMem: options.preDump || options.parentPath !== undefined,
    pageServer: options.pageServer,
    freezeCgroup: freezer,
  };
}

/** What criu is to name instead of dumping it; and the streams, for `restore`, in the file that runc has for them. */
function describeOutside(
  record: StateRecord,
  config: Config,
  directories: CriuDirectories,
  shellJob: boolean,
): Pick<CriuOptions, "extMnt" | "external"> {
  const entries = parseMountinfo(readText(`/proc/${record.pid}/mountinfo`));
  const streams = readStreams(record.pid, entries, shellJob);
  const where = { dirfd: directories.images.fd, path: descriptorsFile };
  writeFile(where, JSON.stringify(streams.map(({ key }) => key)), 0o600);
  using root = openFile(`/proc/${record.pid}/root`, O.PATH | O.DIRECTORY);
  const namespaces = externalNamespaces
    .filter(({ name }) => config.linux?.namespaces?.some(({ type, path }) => type === name && path))
    .map(({ name, key }) => externalNamespace(record.pid, name, key));
  return {
    extMnt: dumpedMounts(config, entries, (path) => resolveInside(root.fd, path)),
    external: [...namespaces, ...streams.filter(({ external }) => external).map(({ key }) => key)],
  };
}

/** Where a path leads in the container's root; a missing one is taken by its letters. */
function resolveInside(root: number, path: string): string {
  const how = openHow(O.PATH | O.CLOEXEC, 0, RESOLVE.IN_ROOT);
  const fd = attempt.openat2(root, path, how, OPEN_HOW_SIZE);
  if (fd < 0) return path;
  using found = new Descriptor(fd);
  // The kernel tells it from the root of the mount namespace that the file is in, which is the container's own.
  return readLink({ dirfd: AT.FDCWD, path: `/proc/self/fd/${found.fd}` });
}

function checkFeatures(
  session: CriuSession,
  { lazyPages, preDump, parentPath }: CheckpointOptions,
  output: number,
): void {
  const features = session.askFeatures();
  if (!features) {
    libc.lseek(output, 0, 0);
    const why = reasonsIn(readText(output)) || "it gives no reason";
    throw new ContainerError(origin, `${origin}: criu cannot work on this kernel: ${why}`);
  }
  if ((preDump || parentPath !== undefined) && !features.memTrack) {
    throw new ContainerError(
      origin,
      `${origin}: --${preDump ? "pre-dump" : "parent-path"} needs a kernel that tracks changes of memory, which this one does not (CONFIG_MEM_SOFT_DIRTY)`,
    );
  }
  if (lazyPages && !features.lazyPages) {
    throw new ContainerError(
      origin,
      `${origin}: --lazy-pages needs userfaultfd(2), which this kernel or criu lacks`,
    );
  }
}

/** criu's own message on a wrong one cannot be understood. */
function checkParent({ parentPath }: CheckpointOptions, { images }: CriuDirectories): void {
  if (parentPath === undefined) return;
  const flags = O.PATH | O.DIRECTORY | O.CLOEXEC;
  const result = parentPath.startsWith("/") ? -1 : attempt.openat(images.fd, parentPath, flags, 0);
  if (result >= 0) {
    attempt.close(result);
    return;
  }
  const why = parentPath.startsWith("/") ? "is absolute" : "is no directory";
  throw new ContainerError(
    origin,
    `${origin}: --parent-path ${parentPath} ${why}: it must name the earlier images relative to --image-path, such as ../1`,
  );
}

/** criu would restore the filter alone, and every call that somebody answered would fail with ENOSYS for ever. */
function refuseListeners(record: StateRecord): void {
  if (!record.listener) return;
  const who =
    readReceiver(record).kind === "agent"
      ? "an agent (linux.seccomp)"
      : "a supervisor (--root-emulation=notify)";
  throw new StateError(
    "conflict",
    `cannot checkpoint container "${record.id}": ${who} answers system calls of it, and criu cannot restore that`,
  );
}

/** criu binds what is external anew, and knows nothing of ids: files would belong to others than before. */
function refuseMappedMounts({ mounts = [] }: Config): void {
  mounts.forEach(({ uidMappings, gidMappings, options }, index) => {
    if (!uidMappings && !gidMappings && !options?.some((option) => /^r?idmap/.test(option))) return;
    throw new SpecError(`mounts[${index}]`, "has mapped ids, which criu cannot restore");
  });
}

const accessMode = 3;

function checkStatusFd(fd: number | undefined): void {
  if (fd === undefined) return;
  const flags = attempt.fcntl(fd, F.GETFL, 0);
  if (flags >= 0 && (flags & accessMode) !== O.RDONLY) return;
  throw new ContainerError(
    origin,
    `${origin}: --status-fd ${fd} is ${flags < 0 ? "no descriptor that the caller has passed" : "not open for writing"}`,
  );
}

function tellReady({ script }: Notification, statusFd: number | undefined): void {
  if (script !== "status-ready" || statusFd === undefined) return;
  writeAll(statusFd, new Uint8Array(1));
  attempt.close(statusFd);
}
