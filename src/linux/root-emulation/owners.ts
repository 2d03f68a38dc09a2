// What is remembered of files: with the file where it can be, so that a later container of the same build knows it, too.
import { AT, S } from "../../../ffi/constants/file.ts";
import { attempt } from "../../../ffi/libc.ts";
import { decodeText, encodeText } from "../../../ffi/memory.ts";

/** A device that was asked for. */
export interface RememberedDevice {
  /** S.IFCHR or S.IFBLK. */
  readonly type: number;
  readonly major: number;
  readonly minor: number;
}

export interface Remembered {
  /** As the container numbers them. */
  readonly uid: number;
  readonly gid: number;
  /** What the file stands for; null for what it is. */
  readonly device: RememberedDevice | null;
}

/** What statx(2) says of a file, and its bytes. */
export interface FileFacts {
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Differs for every file that there is, and has been where the file system knows when a file was made. */
  readonly key: string;
}

/** STATX_BASIC_STATS and STATX_BTIME. */
const wanted = 0xfff;

/** Asks the kernel about an open file; undefined when it does not say. */
export function factsOf(fd: number): FileFacts | undefined {
  const bytes = new Uint8Array(256);
  if (attempt.statx(fd, "", AT.EMPTY_PATH, wanted, bytes) < 0) return undefined;
  const view = new DataView(bytes.buffer);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const birth = (u32(0) & 0x800) === 0 ? "" : `${view.getBigInt64(80, true)}.${u32(88)}`;
  return {
    bytes,
    mode: view.getUint16(28, true),
    uid: u32(20),
    gid: u32(24),
    key: `${u32(136)}:${u32(140)}:${view.getBigUint64(32, true)}:${birth}`,
  };
}

/** The extended attribute of regular files and directories; no other file can have one of `user.`. xattr(7). */
const attribute = "user.bunc.owner";

/** The value of the attribute: `12:34`, with a device `12:34 c 1:3`. */
export function renderRemembered({ uid, gid, device }: Remembered): string {
  if (!device) return `${uid}:${gid}`;
  return `${uid}:${gid} ${device.type === S.IFCHR ? "c" : "b"} ${device.major}:${device.minor}`;
}

/** (uid_t) -1, which nobody has. */
const noId = 0xffff_ffff;

/** Understands the value; undefined for anything else: who is in the container can write what it likes. */
export function parseRemembered(text: string): Remembered | undefined {
  const match = /^(\d{1,10}):(\d{1,10})(?: ([bc]) (\d{1,7}):(\d{1,7}))?$/.exec(text);
  if (!match) return undefined;
  const [uid, gid, major, minor] = [match[1], match[2], match[4], match[5]].map(Number);
  if (uid === undefined || gid === undefined || uid >= noId || gid >= noId) return undefined;
  if (match[3] === undefined || major === undefined || minor === undefined) return { uid, gid, device: null };
  return { uid, gid, device: { type: match[3] === "c" ? S.IFCHR : S.IFBLK, major, minor } };
}

/** Whether files of this mode can have the attribute. */
function mayHaveAttribute(mode: number): boolean {
  const type = mode & S.IFMT;
  return type === S.IFREG || type === S.IFDIR;
}

/** How many files are remembered that cannot have the attribute: some 50 MB, and the supervisor's memory is no container's. */
const mostOthers = 200_000;

/** The owners that were told, for one container. */
export class Owners {
  /** Of links, FIFOs, sockets, devices, and files of file systems without attributes; the one told longest ago is first. */
  private readonly others = new Map<string, Remembered>();

  constructor(private readonly most = mostOthers) {}

  /** @param fd the file, opened in whatever way */
  recall(fd: number, { mode, key }: FileFacts): Remembered | undefined {
    const known = this.others.size > 0 ? this.others.get(key) : undefined;
    if (known || !mayHaveAttribute(mode)) return known;
    const bytes = new Uint8Array(64);
    const length = attempt.getxattr(`/proc/self/fd/${fd}`, attribute, bytes, bytes.length);
    return length > 0 ? parseRemembered(decodeText(bytes, length)) : undefined;
  }

  remember(fd: number, { mode, key }: FileFacts, remembered: Remembered): void {
    this.others.delete(key);
    if (mayHaveAttribute(mode)) {
      const value = encodeText(renderRemembered(remembered));
      if (attempt.setxattr(`/proc/self/fd/${fd}`, attribute, value, value.length, 0) === 0) return;
    }
    this.others.set(key, remembered);
    if (this.others.size > this.most) this.forgetOldest();
  }

  private forgetOldest(): void {
    for (const key of this.others.keys()) {
      this.others.delete(key);
      return;
    }
  }
}
