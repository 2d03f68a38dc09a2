// Compiled filters, kept between runs: compiling a profile costs more than all the rest of create. Whoever can write
// here can let a container make any call, so nothing is taken from a directory that somebody else could have filled.
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, O, S, STATX } from "../../../ffi/constants/file.ts";
import {
  Descriptor,
  isType,
  listDirectory,
  openFile,
  readFile,
  stat,
  writeAtomically,
} from "../../../ffi/file.ts";
import { attempt, libc } from "../../../ffi/libc.ts";

/** Told, in one line, why the cache could not be used; that is never an error. */
export type Log = (message: string) => void;

// An entry: the magic, the SHA-256 of the filter, the filter. Its name is the SHA-256 of all that the filter depends on.
const magic = new Uint8Array([0x62, 0x75, 0x6e, 0x63, 0x20, 0x62, 0x70, 0x66]);
const digestSize = 32;
const headerSize = magic.length + digestSize;
const instructionSize = 8;

/** Entries that are kept when there are more. */
export const cacheCapacity = 64;

/** Who counts them: by their names one in sixteen, for to look is a good part of what writing an entry takes. */
const counts = (key: string): boolean => key.startsWith("0");

/** The name of the entry for a text that says all that its filter depends on. */
export function cacheKey(text: string): string {
  return Bun.SHA256.hash(text, "hex");
}

function digestOf(filter: Uint8Array): Uint8Array {
  return Bun.SHA256.hash(filter) as Uint8Array;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function openDirectory(path: string): Descriptor {
  const flags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW;
  const fd = attempt.openat(AT.FDCWD, path, flags | O.CLOEXEC, 0);
  if (fd >= 0) return new Descriptor(fd);
  if (fd === -ERRNO.ENOENT) attempt.mkdirat(AT.FDCWD, path, 0o700);
  return openFile(path, flags);
}

/**
 * Opens the directory of a cache; makes it, for its owner alone, when it is not there.
 * @returns undefined, and why to `log`, when it cannot be had or another user could have written to it
 */
export function openCache(path: string, log?: Log): Descriptor | undefined {
  let directory: Descriptor | undefined;
  try {
    directory = openDirectory(path);
    const { uid, mode } = stat(directory.fd);
    if (uid === libc.geteuid() && (mode & 0o022) === 0) return directory;
    log?.(`seccomp cache ${path} is not used: others than its owner can write to it`);
  } catch (error) {
    log?.(`seccomp cache ${path} is not used: ${error}`);
  }
  directory?.close();
  return undefined;
}

/** The filter in an entry's bytes; undefined when they are not whole. */
function unpack(entry: Uint8Array): Uint8Array | undefined {
  const filter = entry.subarray(headerSize);
  if (filter.length === 0 || filter.length % instructionSize !== 0) return undefined;
  if (!sameBytes(entry.subarray(0, magic.length), magic)) return undefined;
  return sameBytes(entry.subarray(magic.length, headerSize), digestOf(filter)) ? filter : undefined;
}

/** The filter of an entry; undefined when there is none, or it was cut short or changed. */
export function readEntry(directory: number, key: string, log?: Log): Uint8Array | undefined {
  // O_NONBLOCK: a FIFO of that name must not hold create up.
  const fd = attempt.openat(directory, key, O.RDONLY | O.NOFOLLOW | O.NONBLOCK | O.CLOEXEC, 0);
  if (fd === -ERRNO.ENOENT) return undefined;
  using file = new Descriptor(fd);
  try {
    const filter = isType(stat(file.fd), S.IFREG) ? unpack(readFile(file.fd)) : undefined;
    if (filter === undefined) log?.(`seccomp cache entry ${key} is damaged`);
    return filter;
  } catch (error) {
    log?.(`seccomp cache entry ${key} cannot be read: ${error}`);
    return undefined;
  }
}

/** Nanoseconds of the last change. */
function modified(directory: number, name: string): bigint {
  // struct statx: stx_mtime is { s64 seconds at 112; u32 nanoseconds at 120 }.
  const bytes = new Uint8Array(256);
  if (attempt.statx(directory, name, AT.SYMLINK_NOFOLLOW, STATX.MTIME, bytes) < 0) return 0n;
  const view = new DataView(bytes.buffer);
  return view.getBigInt64(112, true) * 1_000_000_000n + BigInt(view.getUint32(120, true));
}

/** Removes the oldest entries, of whatever name, until no more than the capacity is left. */
function evict(directory: number): void {
  // It lists from where the descriptor stands: at the end, after an earlier entry.
  libc.lseek(directory, 0, 0);
  const names = listDirectory(directory).map((entry) => entry.name);
  if (names.length <= cacheCapacity) return;
  const dated = names.map((name) => ({ name, at: modified(directory, name) }));
  dated.sort((a, b) => (a.at < b.at ? -1 : 1));
  for (const { name } of dated.slice(0, names.length - cacheCapacity)) attempt.unlinkat(directory, name, 0);
}

/** Writes an entry; one in sixteen removes the oldest when there are too many. */
export function writeEntry(directory: number, key: string, filter: Uint8Array, log?: Log): void {
  const entry = new Uint8Array(headerSize + filter.length);
  entry.set(magic);
  entry.set(digestOf(filter), magic.length);
  entry.set(filter, headerSize);
  try {
    writeAtomically(directory, key, entry);
    if (counts(key)) evict(directory);
  } catch (error) {
    log?.(`seccomp cache entry ${key} cannot be written: ${error}`);
  }
}
