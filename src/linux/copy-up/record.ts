// The steps that copy files, for a process with the container's own rights: what that may not read is not copied.
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AT, O, S } from "../../../ffi/constants/file.ts";
import type { Data, Program, Step } from "../../../ffi/program/program.ts";
import { OPEN_HOW_SIZE } from "../../../ffi/structs/open-how.ts";
import { deviceNumber, recordExpectType, statSize } from "../stat.ts";
import type { IdMap } from "./ids.ts";
import { directoryHow, type Entry } from "./walk.ts";

/** Where the copy comes from and goes to: descriptors of two directories. */
export interface Trees {
  readonly source: number;
  readonly target: number;
}

export interface Ids {
  readonly uid: IdMap;
  readonly gid: IdMap;
}

/** The most that sendfile(2) moves at once. */
const mostAtOnce = 0x7fff_f000;
const setIds = 0o6000;
/** XATTR_SIZE_MAX, include/uapi/linux/limits.h. */
const longestAttribute = 65_536;

/**
 * Copies files with their owners, modes, links and extended attributes. Owners without a number in the container become
 * its root, and then lose the bits that would let others act in their name.
 * @param origin who asked, for errors
 */
export function recordCopies(
  program: Program,
  entries: readonly Entry[],
  trees: Trees,
  ids: Ids,
  origin: string,
): void {
  const scratch = { stat: program.space(statSize), value: program.space(longestAttribute) };
  for (let first = 0; first < entries.length; ) {
    const directory = entries[first]?.directory ?? ".";
    program.because(`${origin}: ${directory}`);
    const source = program.openat2(trees.source, directory, directoryHow, OPEN_HOW_SIZE);
    const target = program.openat2(trees.target, directory, directoryHow, OPEN_HOW_SIZE);
    for (; entries[first]?.directory === directory; first++) {
      const entry = entries[first];
      if (!entry) break;
      program.because(`${origin}: ${directory}/${entry.name}`);
      recordCopy(program, entry, { source, target }, ids, scratch);
    }
    program.close(source);
    program.close(target);
  }
}

interface Places {
  readonly source: Step;
  readonly target: Step;
}

interface Scratch {
  readonly stat: Data;
  readonly value: Data;
}

function recordCopy(program: Program, entry: Entry, places: Places, ids: Ids, scratch: Scratch): void {
  const { name, status, link } = entry;
  const uid = ids.uid.inside(status.uid);
  const gid = ids.gid.inside(status.gid);
  const owner = { uid: uid ?? 0, gid: gid ?? 0 };
  const mode = status.mode & (uid === undefined || gid === undefined ? 0o7777 & ~setIds : 0o7777);
  switch (status.mode & S.IFMT) {
    case S.IFDIR:
      program.mkdirat(places.target, name, 0o700);
      recordOpened(program, entry, places, S.IFDIR, scratch, (_, copy) =>
        recordOwner(program, copy, owner, mode),
      );
      return;
    case S.IFREG:
      recordOpened(program, entry, places, S.IFREG, scratch, (file, copy) => {
        recordContent(program, file, copy, status.size);
        recordOwner(program, copy, owner, mode);
      });
      return;
    case S.IFLNK:
      program.symlinkat(link, places.target, name);
      program.fchownat(places.target, name, owner.uid, owner.gid, AT.SYMLINK_NOFOLLOW).ignore(ERRNO.EINVAL);
      return;
    default: {
      const device = deviceNumber(status.rdev.major, status.rdev.minor);
      program.mknodat(places.target, name, (status.mode & S.IFMT) | mode, device);
      program.fchownat(places.target, name, owner.uid, owner.gid, AT.SYMLINK_NOFOLLOW).ignore(ERRNO.EINVAL);
      program.fchmodat(places.target, name, mode);
    }
  }
}

/** Opens both sides, and closes them when the copy and its attributes are complete. */
function recordOpened(
  program: Program,
  { name, attributes }: Entry,
  { source, target }: Places,
  type: number,
  { stat, value }: Scratch,
  record: (file: Step, copy: Step) => void,
): void {
  const regular = type === S.IFREG;
  const kind = regular ? O.NONBLOCK | O.NOCTTY : O.DIRECTORY;
  const file = program.openat(source, name, O.RDONLY | O.NOFOLLOW | O.CLOEXEC | kind, 0);
  // It may be another one by now.
  program.newfstatat(file, "", stat, AT.EMPTY_PATH);
  recordExpectType(program, stat, type, ERRNO.ESTALE);
  const making = regular ? O.WRONLY | O.CREAT | O.EXCL : O.RDONLY | O.DIRECTORY;
  const copy = program.openat(target, name, making | O.NOFOLLOW | O.CLOEXEC, 0o600);
  record(file, copy);
  for (const attribute of attributes) {
    const length = program.fgetxattr(file, attribute, value, longestAttribute);
    // Before Linux 6.6 a tmpfs has no user attributes.
    program.fsetxattr(copy, attribute, value, length, 0).ignore(ERRNO.EOPNOTSUPP);
  }
  program.close(copy);
  program.close(file);
}

/** A file that is shorter by now, or a tmpfs that is full, moves less. */
function recordContent(program: Program, file: Step, copy: Step, size: number): void {
  for (let left = size; left > 0; left -= mostAtOnce) {
    const wanted = Math.min(left, mostAtOnce);
    const moved = program.sendfile(copy, file, null, wanted);
    program.expect(moved, -1, wanted, ERRNO.ENOSPC);
  }
}

/** In this order: a change of owner takes the bits away that let others act in its name. */
function recordOwner(
  program: Program,
  copy: Step,
  { uid, gid }: { uid: number; gid: number },
  mode: number,
): void {
  // Where root is not mapped, what has no owner there stays with whoever copies.
  program.fchown(copy, uid, gid).ignore(ERRNO.EINVAL);
  program.fchmod(copy, mode);
}
