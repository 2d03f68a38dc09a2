// The answer to one call: what the kernel would do for a root with all ids, as far as stat can tell.
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, O, S } from "../../../ffi/constants/file.ts";
import { attempt } from "../../../ffi/libc.ts";
import type { Answer, Notification } from "../../../ffi/seccomp-notify.ts";
import { Caller, type Failure, splitPath } from "./caller.ts";
import type { AnsweredCall } from "./calls.ts";
import { type FileFacts, factsOf, type Owners, type Remembered } from "./owners.ts";
import type { ShownIds } from "./shown-ids.ts";
import { renderStat } from "./stat-layout.ts";

/** What is known of one container. */
export interface Knowledge {
  readonly owners: Owners;
  readonly ids: ShownIds;
}

/** A call, its arguments, and whether it still waits. */
interface Asked {
  readonly call: AnsweredCall;
  readonly notification: Notification;
  readonly caller: Caller;
  readonly stillWaits: () => boolean;
}

/** An answer, and how to take back what was done for it. */
export interface Answered {
  readonly answer: Answer;
  readonly undo?: () => void;
}

/**
 * Answers a call. What was opened of the caller is closed by it: `send` is called before.
 * @param narrow whether ids may be of 16 bits
 * @param stillWaits asked after everything of the caller is open and before anything is done
 */
export function answerCall(
  call: AnsweredCall,
  notification: Notification,
  knowledge: Knowledge,
  narrow: boolean,
  stillWaits: () => boolean,
  send: (answered: Answered) => void,
): void {
  using caller = new Caller(notification.pid);
  const asked: Asked = { call, notification, caller, stillWaits };
  // Who cannot be looked at gets what a filter alone would have answered.
  if (!caller.isReadable) send({ answer: call.does === "stat" ? "continue" : 0 });
  else if (call.does === "stat") send({ answer: answerStat(call, asked, knowledge) });
  else if (call.does === "chown") send({ answer: answerChown(call, asked, knowledge, narrow) });
  else send(answerMknod(call, asked, knowledge));
}

const word = ({ args }: Notification, index: number) => Number((args[index] ?? 0n) & 0xffff_ffffn);
const signedWord = (notification: Notification, index: number) => word(notification, index) | 0;

/** The file that a call is about. */
function openFile({ call, notification, caller }: Asked): number | Failure {
  const flags = call.flags < 0 ? 0 : word(notification, call.flags);
  const dirfd = call.fd < 0 ? AT.FDCWD : signedWord(notification, call.fd);
  if (call.path < 0) return caller.openDescriptor(dirfd);
  const address = notification.args[call.path] ?? 0n;
  const path = address === 0n && (flags & AT.EMPTY_PATH) !== 0 ? new Uint8Array(1) : caller.readPath(address);
  if (typeof path === "number") return path;
  if (path.length === 1 && (flags & AT.EMPTY_PATH) !== 0) {
    return dirfd === AT.FDCWD
      ? caller.openPath(Uint8Array.of(0x2e, 0), dirfd, true)
      : caller.openDescriptor(dirfd);
  }
  return caller.openPath(path, dirfd, call.follow && (flags & AT.SYMLINK_NOFOLLOW) === 0);
}

/** The kernel answers for everything of which nothing is remembered, errors among it. */
function answerStat(
  call: Extract<AnsweredCall, { does: "stat" }>,
  asked: Asked,
  { owners }: Knowledge,
): Answer {
  const fd = openFile(asked);
  const facts = fd < 0 ? undefined : factsOf(fd);
  const remembered = facts && owners.recall(fd, facts);
  const bytes = facts && remembered && renderStat(call.layout, fd, facts, remembered);
  if (!bytes || !asked.stillWaits()) return "continue";
  const address = asked.notification.args[call.buffer] ?? 0n;
  return asked.caller.write(address, bytes) ? 0 : -ERRNO.EFAULT;
}

const knownFlags = AT.SYMLINK_NOFOLLOW | AT.EMPTY_PATH;

function answerChown(
  call: Extract<AnsweredCall, { does: "chown" }>,
  asked: Asked,
  { owners, ids }: Knowledge,
  narrow: boolean,
): Answer {
  const { notification } = asked;
  if (call.flags >= 0 && (word(notification, call.flags) & ~knownFlags) !== 0) return -ERRNO.EINVAL;
  const fd = openFile(asked);
  if (fd < 0) return fd;
  const facts = factsOf(fd);
  if (!facts || !asked.stillWaits()) return 0;
  // A chown that changes no owner: it finds a read-only mount, clears set-id bits, sets the time of change, and on an
  // overlay makes the file that the attribute is for.
  if (attempt.fchownat(fd, "", -1, -1, AT.EMPTY_PATH) === -ERRNO.EROFS) return -ERRNO.EROFS;
  const copied = factsOf(fd) ?? facts;
  const known = owners.recall(fd, copied);
  const plain = shownOf(notification.pid, copied, ids);
  const shown = known ?? plain;
  const [uid = shown.uid, gid = shown.gid] = [call.ids, call.ids + 1].map((index) =>
    idOf(word(notification, index), narrow && call.short),
  );
  // Package managers give nearly every file to root, whose it is: no attribute for that in every layer of the image.
  if (known || uid !== plain.uid || gid !== plain.gid)
    owners.remember(fd, copied, { uid, gid, device: shown.device });
  return 0;
}

/** undefined for -1, which leaves it as it is. */
function idOf(id: number, short: boolean): number | undefined {
  const none = short ? 0xffff : 0xffff_ffff;
  const value = short ? id & 0xffff : id;
  return value === none ? undefined : value;
}

function shownOf(pid: number, { uid, gid }: Pick<FileFacts, "uid" | "gid">, ids: ShownIds): Remembered {
  return { ...ids.of(pid, uid, gid), device: null };
}

/** An empty file stands for the device: no user namespace has devices of its own. */
function answerMknod(
  call: Extract<AnsweredCall, { does: "mknod" }>,
  { notification, caller, stillWaits }: Asked,
  { owners, ids }: Knowledge,
): Answered {
  const path = caller.readPath(notification.args[call.path] ?? 0n);
  if (typeof path === "number") return { answer: path };
  const parts = splitPath(path);
  const dirfd = call.fd < 0 ? AT.FDCWD : signedWord(notification, call.fd);
  if (!parts) {
    const there = caller.openPath(path, dirfd, true);
    return { answer: there < 0 ? there : -ERRNO.EEXIST };
  }
  const directory = caller.openPath(parts.directory, dirfd, true);
  if (directory < 0) return { answer: directory };
  const mode = word(notification, call.mode);
  const permissions = mode & 0o7777 & ~caller.umask;
  if (!stillWaits()) return { answer: 0 };
  const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;
  const fd = attempt.openat(directory, parts.name, flags, permissions);
  if (fd < 0) return { answer: fd };
  const facts = factsOf(fd);
  if (facts) {
    const device = { type: mode & S.IFMT, ...deviceOf(word(notification, call.mode + 1)) };
    owners.remember(fd, facts, { ...shownOf(notification.pid, facts, ids), device });
  }
  attempt.close(fd);
  return { answer: 0, undo: () => attempt.unlinkat(directory, parts.name, 0) };
}

/** include/linux/kdev_t.h, new_decode_dev. */
function deviceOf(number: number): { major: number; minor: number } {
  return { major: (number & 0xfff00) >>> 8, minor: (number & 0xff) | ((number >>> 12) & 0xfff00) };
}
