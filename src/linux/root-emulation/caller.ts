// A thread whose call waits for its answer: its memory, and files as it names them.
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, O, RESOLVE } from "../../../ffi/constants/file.ts";
import { Descriptor, readText } from "../../../ffi/file.ts";
import { attempt } from "../../../ffi/libc.ts";
import { decodeText } from "../../../ffi/memory.ts";
import { OPEN_HOW_SIZE, openHow } from "../../../ffi/structs/open-how.ts";

/** PATH_MAX, with the NUL. */
const longestPath = 4096;

/** How a call fails: the negated error number. */
export type Failure = number;

const slash = 0x2f;
const NUL = Uint8Array.of(0);

/**
 * Everything is opened through /proc/PID before anybody makes sure that the call still waits, and so by then that PID was
 * its thread's: seccomp_unotify(2).
 */
export class Caller implements Disposable {
  private readonly opened: Descriptor[] = [];
  private readonly memory: number;

  /** @param pid of the thread */
  constructor(private readonly pid: number) {
    this.memory = this.open("mem", O.RDWR);
  }

  /** Whether its memory could be opened: of a program with more powers than ours it cannot. */
  get isReadable(): boolean {
    return this.memory >= 0;
  }

  /** A path in its memory, with its NUL. */
  readPath(address: bigint): Uint8Array | Failure {
    const bytes = new Uint8Array(longestPath);
    // A page may be missing after the end of the text.
    const toPage = longestPath - Number(address & 0xfffn);
    let length = attempt.pread64(this.memory, bytes.subarray(0, toPage), toPage, address);
    if (length <= 0) return -ERRNO.EFAULT;
    let end = bytes.subarray(0, length).indexOf(0);
    if (end < 0 && length === toPage && toPage < longestPath) {
      const rest = bytes.subarray(toPage);
      const more = attempt.pread64(this.memory, rest, rest.length, address + BigInt(toPage));
      if (more <= 0) return -ERRNO.EFAULT;
      length += more;
      end = bytes.subarray(0, length).indexOf(0);
    }
    return end < 0 ? -ERRNO.ENAMETOOLONG : bytes.slice(0, end + 1);
  }

  /** Writes to its memory; false when that is not possible. */
  write(address: bigint, bytes: Uint8Array): boolean {
    return attempt.pwrite64(this.memory, bytes, bytes.length, address) === bytes.length;
  }

  /** The file of one of its descriptors. */
  openDescriptor(fd: number): number | Failure {
    if (fd < 0) return -ERRNO.EBADF;
    const result = this.open(`fd/${fd}`, O.PATH);
    return result === -ERRNO.ENOENT ? -ERRNO.EBADF : result;
  }

  /**
   * The file of a path, as an O_PATH descriptor. Nothing outside the caller's root can be reached, whatever links there are.
   * @param dirfd of the caller, or AT.FDCWD
   */
  openPath(path: Uint8Array, dirfd: number, follow: boolean): number | Failure {
    if (path.length === 1) return -ERRNO.ENOENT;
    const flags = O.PATH | (follow ? 0 : O.NOFOLLOW);
    if (path[0] === slash) {
      const own = follow ? ownDescriptor(decodeText(path)) : -1;
      return own >= 0 ? this.openDescriptor(own) : this.openInRoot(path, flags);
    }
    const place = dirfd === AT.FDCWD ? "cwd" : `fd/${dirfd}`;
    const base = dirfd === AT.FDCWD ? this.open("cwd", O.PATH) : this.openDescriptor(dirfd);
    if (base < 0) return base;
    const beneath = this.resolve(base, path, flags, RESOLVE.BENEATH);
    // It leads up, or to an absolute link: then the whole way from the root.
    return beneath === -ERRNO.EXDEV ? this.openFromRoot(place, path, flags) : beneath;
  }

  private openInRoot(path: Uint8Array, flags: number): number | Failure {
    const root = this.open("root", O.PATH | O.DIRECTORY);
    return root < 0 ? root : this.resolve(root, path, flags, RESOLVE.IN_ROOT);
  }

  private openFromRoot(place: string, path: Uint8Array, flags: number): number | Failure {
    const root = this.readLink("root");
    let directory = this.readLink(place);
    if (!root || !directory) return -ERRNO.ENOENT;
    // Both are seen from the root of the mounts.
    if (root.length > 1 && startsWith(directory, root)) directory = directory.subarray(root.length);
    return this.openInRoot(concatenate(directory, Uint8Array.of(slash), path), flags);
  }

  private resolve(base: number, path: Uint8Array, flags: number, scope: number): number | Failure {
    const how = openHow(flags | O.CLOEXEC, 0, scope | RESOLVE.NO_MAGICLINKS);
    for (let tries = 0; ; tries++) {
      const fd = attempt.openat2(base, path, how, OPEN_HOW_SIZE);
      // Something was renamed meanwhile; openat2(2) asks for another try.
      if (fd === -ERRNO.EAGAIN && tries < 100) continue;
      if (fd >= 0) this.opened.push(new Descriptor(fd));
      return fd;
    }
  }

  /** Where the caller's file mode mask is: Umask of /proc/PID/status, Linux 4.7. */
  get umask(): number {
    try {
      const mask = /^Umask:\s*([0-7]+)$/m.exec(readText(`/proc/${this.pid}/status`))?.[1];
      return mask === undefined ? 0o22 : Number.parseInt(mask, 8);
    } catch {
      return 0o22;
    }
  }

  private open(name: string, flags: number): number | Failure {
    const fd = attempt.openat(AT.FDCWD, `/proc/${this.pid}/${name}`, flags | O.CLOEXEC, 0);
    if (fd >= 0) this.opened.push(new Descriptor(fd));
    return fd;
  }

  private readLink(name: string): Uint8Array | undefined {
    const bytes = new Uint8Array(longestPath);
    const length = attempt.readlinkat(AT.FDCWD, `/proc/${this.pid}/${name}`, bytes, bytes.length);
    return length < 0 ? undefined : bytes.slice(0, length);
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.opened) descriptor.close();
  }
}

const standard = ["/dev/stdin", "/dev/stdout", "/dev/stderr"];

/** The caller's descriptor that a path of /proc or /dev stands for; -1 for none. The supervisor's own are others. */
function ownDescriptor(path: string): number {
  const stream = standard.indexOf(path);
  if (stream >= 0) return stream;
  const number = /^\/(?:proc\/(?:self|thread-self)|dev)\/fd\/(\d{1,9})$/.exec(path)?.[1];
  return number === undefined ? -1 : Number(number);
}

/** Splits a path with a NUL into the directory, with a NUL, and the last name; undefined when that is none. */
export function splitPath(path: Uint8Array): { directory: Uint8Array; name: Uint8Array } | undefined {
  const at = path.lastIndexOf(slash);
  const name = path.slice(at + 1);
  const text = decodeText(name);
  if (text === "" || text === "." || text === "..") return undefined;
  const directory = at < 0 ? Uint8Array.of(0x2e, 0) : concatenate(path.subarray(0, Math.max(at, 1)), NUL);
  return { directory, name };
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, index) => bytes[index] === byte) && (bytes[prefix.length] ?? slash) === slash;
}

function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
