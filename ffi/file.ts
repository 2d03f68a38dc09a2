import type { CallName } from "./calls.ts";
import { ERRNO } from "./constants/errno.ts";
import { AT, O, S, STATX } from "./constants/file.ts";
import { SyscallError } from "./error.ts";
import { type Argument, attempt, failure } from "./libc.ts";
import { decodeText, encodeText } from "./memory.ts";

/** A path seen from an open directory; a relative plain string is seen from the current directory. */
export interface At {
  readonly dirfd: number;
  readonly path: string;
}

/** Which file: a path, a path seen from a directory, or an open descriptor. */
export type Where = string | At | number;

/** Owns an open descriptor: `using file = openFile(…)` closes it at the end of the block. */
export class Descriptor implements Disposable {
  // Not #fd: a class with private names takes 0.03 ms to make and to use first, which every command would pay.
  private number: number;

  /** @param fd an open descriptor that nobody else closes */
  constructor(fd: number) {
    this.number = fd;
  }

  /** The number; -1 once closed or released. */
  get fd(): number {
    return this.number;
  }

  /** Closes it now. Does nothing the second time. */
  close(): void {
    const fd = this.number;
    this.number = -1;
    // An error of close(2) leaves the descriptor closed all the same on Linux, so there is nothing to do about one.
    if (fd >= 0) attempt.close(fd);
  }

  /** Gives the number away: the caller closes it. */
  release(): number {
    const fd = this.number;
    this.number = -1;
    return fd;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Makes a call again while a signal interrupts it. Throws SyscallError for any other failure. */
function insist(name: CallName, ...args: Argument[]): number {
  const call = attempt[name] as (...args: Argument[]) => number;
  for (;;) {
    const result = call(...args);
    if (result >= 0) return result;
    if (result !== -ERRNO.EINTR) throw failure(name, args, -result);
  }
}

/**
 * Opens a file, close-on-exec. openat(2).
 * @param flags O.* or-ed; O.CLOEXEC is added
 * @param mode permission bits of a file that O.CREAT makes
 * @param dirfd directory that a relative path is seen from
 */
export function openFile(path: string, flags: number, mode = 0, dirfd: number = AT.FDCWD): Descriptor {
  return new Descriptor(insist("openat", dirfd, path, flags | O.CLOEXEC, mode));
}

function openAt(where: string | At, flags: number, mode = 0): Descriptor {
  return typeof where === "string"
    ? openFile(where, flags, mode)
    : openFile(where.path, flags, mode, where.dirfd);
}

/** Reads at most `bytes.length` bytes from where the descriptor stands; returns how many, 0 at the end. read(2). */
export function readInto(fd: number, bytes: Uint8Array): number {
  return insist("read", fd, bytes, bytes.length);
}

function readDescriptor(fd: number): Uint8Array {
  let bytes = new Uint8Array(4096);
  let length = 0;
  for (;;) {
    const count = readInto(fd, length === 0 ? bytes : bytes.subarray(length));
    if (count === 0) return bytes.subarray(0, length);
    length += count;
    if (length === bytes.length) {
      const larger = new Uint8Array(length * 4);
      larger.set(bytes);
      bytes = larger;
    }
  }
}

/** The whole content of a file, or the rest of an open one. Throws SyscallError. */
export function readFile(where: Where): Uint8Array {
  if (typeof where === "number") return readDescriptor(where);
  const file = openAt(where, O.RDONLY);
  // Not by using: its first one takes 0.04 ms, and every command reads a file.
  try {
    return readDescriptor(file.fd);
  } finally {
    file.close();
  }
}

/**
 * The beginning of a small file as UTF-8 text, or the negated error number of the call that failed: for files whose
 * absence is no error. To make one and throw it takes 2 ms.
 * @param room bytes that are read at most, in one read(2)
 */
export function attemptText(path: string, room: number): string | number {
  const fd = attempt.openat(AT.FDCWD, path, O.RDONLY | O.CLOEXEC, 0);
  if (fd < 0) return fd;
  const bytes = new Uint8Array(room);
  const length = attempt.read(fd, bytes, room);
  attempt.close(fd);
  return length < 0 ? length : decodeText(bytes, length);
}

/** The whole content of a file as UTF-8 text, or the rest of an open one. Throws SyscallError. */
export function readText(where: Where): string {
  const bytes = readFile(where);
  return decodeText(bytes, bytes.length);
}

/** Writes every byte to a descriptor, in as many write(2) as it takes. Throws SyscallError, which names the file. */
export function writeAll(fd: number, data: string | Uint8Array): void {
  let rest = typeof data === "string" ? encodeText(data) : data;
  while (rest.length > 0) {
    const count = attempt.write(fd, rest, rest.length);
    if (count >= 0) rest = rest.subarray(count);
    else if (count !== -ERRNO.EINTR) throw named(failure("write", [fd, rest, rest.length], -count), fd);
  }
}

/** The error with the file's path beside its number, as `strace -y` prints it: a number alone helps nobody. */
function named(error: SyscallError, fd: number): SyscallError {
  if (fd < 3) return error;
  try {
    const start = `${error.call}(${fd}`;
    const rest = error.rendered.slice(start.length);
    return new SyscallError(error.call, error.errno, `${start}<${readLink(`/proc/self/fd/${fd}`)}>${rest}`);
  } catch {
    // Without /proc there is only the number.
    return error;
  }
}

/** Makes a file, or empties it, and writes all of `data`. Not atomic: see writeAtomically. Throws SyscallError. */
export function writeFile(where: string | At, data: string | Uint8Array, mode = 0o666): void {
  using file = openAt(where, O.WRONLY | O.CREAT | O.TRUNC, mode);
  writeAll(file.fd, data);
}

/**
 * Writes one value to a file of the kernel's (cgroup, /proc, /sys), which must exist: a single write(2), since such
 * files take each write for a value of its own. Throws SyscallError, of openat or of write.
 */
export function writeValue(where: string | At, value: string): void {
  using file = openAt(where, O.WRONLY);
  const bytes = encodeText(value);
  insist("write", file.fd, bytes, bytes.length);
}

let temporaries = 0;

/**
 * Writes a file so that a reader sees the old content or the new, never a part: a temporary file beside it, renamed
 * over it. It is made with O_EXCL, so it follows no link that somebody left under its name.
 * @param directory descriptor of the directory (AT.FDCWD for the current one)
 * @param name file name in the directory, or a path seen from it
 */
export function writeAtomically(
  directory: number,
  name: string,
  data: string | Uint8Array,
  mode = 0o600,
): void {
  const slash = name.lastIndexOf("/") + 1;
  const unique = `${attempt.getpid()}.${temporaries++}`;
  const temporary = `${name.slice(0, slash)}.${name.slice(slash)}.${unique}.tmp`;
  using file = openFile(temporary, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW, mode, directory);
  try {
    writeAll(file.fd, data);
    insist("renameat2", directory, temporary, directory, name, 0);
  } catch (error) {
    attempt.unlinkat(directory, temporary, 0);
    throw error;
  }
}

/** What a directory entry is, from d_type: "unknown" on file systems that do not say. */
export type EntryType = "file" | "directory" | "symlink" | "other" | "unknown";

export interface DirectoryEntry {
  readonly name: string;
  readonly type: EntryType;
}

// include/uapi/linux/fs.h and dirent.h: DT_UNKNOWN, DT_DIR, DT_REG, DT_LNK.
const entryTypes: Readonly<Record<number, EntryType>> = {
  0: "unknown",
  4: "directory",
  8: "file",
  10: "symlink",
};

/**
 * The entries of an open directory, without `.` and `..`, from where the descriptor stands. getdents64(2).
 * The order is the file system's. One that was removed since it was opened has none. Throws SyscallError.
 */
export function listDirectory(fd: number): DirectoryEntry[] {
  // struct linux_dirent64 { u64 ino; s64 off; u16 length; u8 type; char name[]; }
  const bytes = new Uint8Array(8192);
  const view = new DataView(bytes.buffer);
  const entries: DirectoryEntry[] = [];
  for (;;) {
    const end = attempt.getdents64(fd, bytes, bytes.length);
    // ENOENT: the directory has been removed since it was opened.
    if (end === 0 || end === -ERRNO.ENOENT) return entries;
    if (end === -ERRNO.EINTR) continue;
    if (end < 0) throw failure("getdents64", [fd, bytes, bytes.length], -end);
    for (let at = 0; at < end; at += view.getUint16(at + 16, true)) {
      const name = decodeText(bytes.subarray(at + 19, at + view.getUint16(at + 16, true)));
      if (name === "." || name === "..") continue;
      entries.push({ name, type: entryTypes[view.getUint8(at + 18)] ?? "other" });
    }
  }
}

/** Identity of a device, in the two numbers that configurations use. */
export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** What statx(2) knows of a file. */
export interface FileStatus {
  /** Type and permission bits: S.IFMT separates them. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  /** Bytes. */
  readonly size: number;
  readonly ino: bigint;
  /** Device that the file is on. */
  readonly dev: DeviceNumber;
  /** Device that the file is, when it is a device node. */
  readonly rdev: DeviceNumber;
}

// statx rather than fstatat: one layout on every architecture.
function statusOf(where: Where, flags: number): FileStatus {
  const bytes = new Uint8Array(256);
  if (typeof where === "number") insist("statx", where, "", AT.EMPTY_PATH, STATX.BASIC_STATS, bytes);
  else if (typeof where === "string") insist("statx", AT.FDCWD, where, flags, STATX.BASIC_STATS, bytes);
  else insist("statx", where.dirfd, where.path, flags, STATX.BASIC_STATS, bytes);
  // By words: a DataView takes 0.03 ms when it is used first.
  const words = new Uint32Array(bytes.buffer);
  const u32 = (at: number) => words[at / 4] as number;
  return {
    mode: u32(28) & 0xffff,
    uid: u32(20),
    gid: u32(24),
    links: u32(16),
    size: u32(44) * 2 ** 32 + u32(40),
    ino: (BigInt(u32(36)) << 32n) | BigInt(u32(32)),
    dev: { major: u32(136), minor: u32(140) },
    rdev: { major: u32(128), minor: u32(132) },
  };
}

/** Status of a file, of what a link leads to. Throws SyscallError. */
export function stat(where: Where): FileStatus {
  return statusOf(where, 0);
}

/** Status of a file, of the link itself when it is one. Throws SyscallError. */
export function linkStat(where: string | At): FileStatus {
  return statusOf(where, AT.SYMLINK_NOFOLLOW);
}

/** True when the type bits of a mode are those: `isType(status, S.IFDIR)`. */
export function isType(status: FileStatus, type: number): boolean {
  return (status.mode & S.IFMT) === type;
}

/** True when the path leads to something. Any failure of the look-up counts as no. faccessat2(2). */
export function exists(where: string | At): boolean {
  const [dirfd, path] = typeof where === "string" ? [AT.FDCWD, where] : [where.dirfd, where.path];
  return attempt.faccessat2(dirfd, path, 0, 0) === 0;
}

/** Where a symbolic link leads, as it is written. Throws SyscallError. readlinkat(2). */
export function readLink(where: string | At): string {
  const [dirfd, path] = typeof where === "string" ? [AT.FDCWD, where] : [where.dirfd, where.path];
  const bytes = new Uint8Array(4096);
  return decodeText(bytes, insist("readlinkat", dirfd, path, bytes, bytes.length));
}
