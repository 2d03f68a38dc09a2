import { ERRNO } from "../../../ffi/constants/errno.ts";
import { O, RESOLVE, S } from "../../../ffi/constants/file.ts";
import { Descriptor, type FileStatus, linkStat, listDirectory, readLink } from "../../../ffi/file.ts";
import { attempt, failure, libc } from "../../../ffi/libc.ts";
import { decodeText } from "../../../ffi/memory.ts";
import { OPEN_HOW_SIZE, openHow } from "../../../ffi/structs/open-how.ts";

/** One file of a tree that is copied. */
export interface Entry {
  /** Path of its directory, seen from the tree's root; "." for the root itself. */
  readonly directory: string;
  readonly name: string;
  readonly status: FileStatus;
  /** Where a symbolic link leads; "" of any other file. */
  readonly link: string;
  /** Names of the extended attributes to be copied. */
  readonly attributes: readonly string[];
}

/** How a directory of the tree is opened: no link leads out of it, whoever changes it meanwhile. openat2(2). */
export const directoryHow = openHow(
  O.RDONLY | O.DIRECTORY | O.CLOEXEC,
  0,
  RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS | RESOLVE.NO_MAGICLINKS,
);

/**
 * The files of a tree, each directory before what is in it, and the files of one directory in a row.
 * @param root descriptor of the tree's root
 * Throws SyscallError.
 */
export function* walk(root: number): Generator<Entry> {
  const left = ["."];
  for (let path = left.shift(); path !== undefined; path = left.shift()) {
    using directory = new Descriptor(libc.openat2(root, path, directoryHow, OPEN_HOW_SIZE));
    for (const { name } of listDirectory(directory.fd)) {
      const status = linkStat({ dirfd: directory.fd, path: name });
      const type = status.mode & S.IFMT;
      yield {
        directory: path,
        name,
        status,
        link: type === S.IFLNK ? readLink({ dirfd: directory.fd, path: name }) : "",
        attributes: type === S.IFREG || type === S.IFDIR ? listAttributes(directory.fd, name) : [],
      };
      if (type === S.IFDIR) left.push(path === "." ? name : `${path}/${name}`);
    }
  }
}

// Security modules give every file its own label and digest, and the trusted ones belong to the file system beneath.
const ownedByOthers = /^(security\.(selinux|SMACK.*|ima|evm)|trusted\..*)$/;

/** Names only: their values are read by who may read the file. llistxattr(2). */
function listAttributes(directory: number, name: string): string[] {
  const bytes = new Uint8Array(1 << 16);
  const path = `/proc/self/fd/${directory}/${name}`;
  const length = attempt.llistxattr(path, bytes, bytes.length);
  if (length === -ERRNO.EOPNOTSUPP) return [];
  if (length < 0) throw failure("llistxattr", [path, bytes, bytes.length], -length);
  const names = decodeText(bytes, length).split("\0");
  return names.filter((each) => each !== "" && !ownedByOthers.test(each));
}
