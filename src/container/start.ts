import { ERRNO } from "../../ffi/constants/errno.ts";
import { O } from "../../ffi/constants/file.ts";
import { POLL } from "../../ffi/constants/socket.ts";
import { Descriptor, openFile, readFile, writeAll } from "../../ffi/file.ts";
import { attempt, failure, libc } from "../../ffi/libc.ts";
import { isPaused } from "../linux/cgroups/frozen.ts";
import { StateError } from "../state/error.ts";
import { files, type StateRecord } from "../state/record.ts";
import { directoryOf, load, openContainer } from "../state/store.ts";
import type { StartOptions } from "./options.ts";
import { messageSize, readMessage } from "./sync.ts";

/**
 * `start`: lets the waiting init execute the container's process. Returns when it runs.
 * With $NOTIFY_SOCKET it returns when the process says that it is ready.
 * Throws StateError when the container is not waiting, ContainerError when the process could not be executed. When a
 * hook fails, the container is gone, and the hook's error is thrown: runtime.md, "Lifecycle", steps 7 and 9.
 */
export function startContainer(options: StartOptions): void {
  const { root, id } = options;
  using directory = openContainer(root, id);
  const record = load(root, id, directory);
  if (record.executable === "") {
    throw new StateError(
      "conflict",
      `container "${id}" has no process to start: config.json has no "process"`,
    );
  }
  if (isPaused(record.cgroup)) {
    throw new StateError("conflict", `cannot start container "${id}": it is paused; resume it first`);
  }
  using start = openStart(directory, record);
  // Open before init is let go: it may be done, or have failed, at once.
  using result = openFile(files.resultFifo, O.RDONLY | O.NONBLOCK, 0, directory.fd);
  using notify = record.notify ? openNotify(options, record, directory) : undefined;
  if (record.hooks) runHooks("runStartHooks", options, record, directory);
  using handing = record.listener ? connectHandOver(options) : undefined;
  writeAll(start.fd, new Uint8Array(1));
  if (handing) passListener(handing, record, directory);
  awaitResult(result.fd, directory, record);
  // From now on the container counts as running.
  libc.unlinkat(directory.fd, files.startFifo, 0);
  if (record.hooks) runHooks("runPoststartHooks", options, record, directory);
  if (!notify) return;
  // The wait may be long, and other commands need the lock.
  directory.close();
  notify.await(record);
}

/** Before init is let go: it waits for somebody to take its listener. */
function connectHandOver({ root, id }: StartOptions): Descriptor {
  const { connectUnix } = require("../../ffi/socket.ts") as typeof import("../../ffi/socket.ts");
  return connectUnix(`${directoryOf(root, id)}/${files.handOver}`);
}

function passListener(connection: Descriptor, record: StateRecord, directory: Descriptor): void {
  const { handOver, readReceiver } = require("./hand-over.ts") as typeof import("./hand-over.ts");
  handOver(connection, readReceiver(record), { directory, record, status: "created", pid: record.pid });
}

function openNotify({ notifySocket, log }: StartOptions, record: StateRecord, directory: Descriptor) {
  if (notifySocket === undefined) return undefined;
  const { Notify } = require("./notify.ts") as typeof import("./notify.ts");
  return new Notify(directory, notifySocket, record.pid, log);
}

function runHooks(
  which: "runStartHooks" | "runPoststartHooks",
  options: StartOptions,
  record: StateRecord,
  directory: Descriptor,
): void {
  const hooks = require("./later-hooks.ts") as typeof import("./later-hooks.ts");
  try {
    hooks[which](record, directory);
  } catch (error) {
    const { destroyContainer } = require("./delete.ts") as typeof import("./delete.ts");
    try {
      destroyContainer(options, record, directory, false);
    } catch (second) {
      options.log.warn(
        `container "${record.id}" is left: ${second instanceof Error ? second.message : second}`,
      );
    }
    throw error;
  }
}

/** Without a reader, which init is, a FIFO cannot be opened for writing alone: ENXIO. fifo(7). */
function openStart(directory: Descriptor, record: StateRecord): Descriptor {
  const { id } = record;
  const fd = attempt.openat(directory.fd, files.startFifo, O.WRONLY | O.NONBLOCK | O.CLOEXEC, 0);
  if (fd >= 0) return new Descriptor(fd);
  if (fd === -ERRNO.ENOENT) {
    throw new StateError("conflict", `cannot start container "${id}": it has been started already`);
  }
  if (fd === -ERRNO.ENXIO) {
    explainReport(directory, record);
    throw new StateError("conflict", `cannot start container "${id}": its init has ended`);
  }
  throw failure("openat", [directory.fd, files.startFifo, O.WRONLY | O.NONBLOCK | O.CLOEXEC, 0], -fd);
}

/** Init's end closes when the process is executed, or with a report of why it was not. */
function awaitResult(result: number, directory: Descriptor, record: StateRecord): void {
  const poll = new Uint8Array(8);
  new DataView(poll.buffer).setInt32(0, result, true);
  new DataView(poll.buffer).setInt16(4, POLL.IN, true);
  for (;;) {
    const ready = attempt.ppoll(poll, 1, null, null, 0);
    if (ready >= 0) break;
    if (ready !== -ERRNO.EINTR) throw failure("ppoll", [poll, 1, null, null, 0], -ready);
  }
  throwReport(result, directory, record);
}

/** Init was let go already, and may have reported why it could not execute the process: the prelude leaves that to be told here. */
function explainReport(directory: Descriptor, record: StateRecord): void {
  using result = openFile(files.resultFifo, O.RDONLY | O.NONBLOCK, 0, directory.fd);
  throwReport(result.fd, directory, record);
}

/** Throws what init has reported; returns when that is nothing. */
function throwReport(result: number, directory: Descriptor, record: StateRecord): void {
  const bytes = new Uint8Array(messageSize);
  const message = readMessage(bytes, attempt.read(result, bytes, bytes.length));
  if (message.kind !== "failure") return;
  const { explainStep } = require("./explain-step.ts") as typeof import("./explain-step.ts");
  const image = readFile({ dirfd: directory.fd, path: files.program });
  throw explainStep(image, message.step, message.errno, record.executable);
}
