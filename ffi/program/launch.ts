// From an image to a process.
import { ERRNO } from "../constants/errno.ts";
import { AT, F, MFD, O } from "../constants/file.ts";
import { sealFile } from "../data-file.ts";
import { SyscallError } from "../error.ts";
import { Descriptor, writeAll } from "../file.ts";
import { attempt, failure, libc } from "../libc.ts";
import { posixSpawn, type SpawnRequest } from "../posix-spawn.ts";

const name = "bunc";

/**
 * Puts an image into a file without a name that nobody can change any more, a sealed memfd: /proc/PID/exe of the
 * container's first process leads there and not to the runtime (CVE-2019-5736). Returns its descriptor, close-on-exec.
 * Where vm.memfd_noexec=2 forbids to execute a memfd, an unlinked file in one of the directories takes its place, open for
 * reading only.
 * @param directories descriptors of directories of the runtime's own, in order of preference
 * Throws SyscallError.
 */
export function sealImage(image: Uint8Array, ...directories: readonly number[]): number {
  const memfd = createMemfd();
  if (memfd === -ERRNO.EACCES) return hideImage(image, directories);
  if (memfd < 0) throw failure("memfd_create", [name, MFD.CLOEXEC | MFD.ALLOW_SEALING], -memfd);
  const file = new Descriptor(memfd);
  try {
    writeAll(file.fd, image);
    sealFile(file.fd);
    return file.release();
  } finally {
    file.close();
  }
}

/** The descriptor, or the negated error number. */
function createMemfd(): number {
  const flags = MFD.CLOEXEC | MFD.ALLOW_SEALING;
  // With vm.memfd_noexec=1 only the flag makes it executable; before Linux 6.3 there is neither.
  const memfd = attempt.memfd_create(name, flags | MFD.EXEC);
  return memfd === -ERRNO.EINVAL ? attempt.memfd_create(name, flags) : memfd;
}

/** Flag of statfs.f_flags: nothing there can be executed. */
const ST_NOEXEC = 8;

function forbidsExecution(directory: number): boolean {
  // struct statfs of 64-bit machines: f_flags is its eleventh word.
  const status = new BigInt64Array(15);
  libc.fstatfs(directory, new Uint8Array(status.buffer));
  return (Number(status[10]) & ST_NOEXEC) !== 0;
}

/** An open file without a name in the first directory that has such and lets them be executed; -1 without one. */
function openNameless(directories: readonly number[]): number {
  for (const directory of directories) {
    // /run, where the state is, is often mounted noexec.
    if (forbidsExecution(directory)) continue;
    const fd = attempt.openat(directory, ".", O.TMPFILE | O.RDWR | O.CLOEXEC, 0o500);
    if (fd >= 0) return fd;
  }
  return -1;
}

/** The same without a memfd. Throws SyscallError, EACCES when no directory will do. */
export function hideImage(image: Uint8Array, directories: readonly number[]): number {
  const fd = openNameless(directories);
  if (fd < 0) {
    const why = "vm.memfd_noexec forbids to execute a memfd, and the state directory is mounted noexec";
    throw new SyscallError("memfd_create", ERRNO.EACCES, `memfd_create("${name}", MFD_EXEC): ${why}`);
  }
  // A file that is open for writing cannot be executed, so this descriptor must be gone by then.
  using written = new Descriptor(fd);
  writeAll(written.fd, image);
  return libc.openat(AT.FDCWD, `/proc/self/fd/${written.fd}`, O.RDONLY | O.CLOEXEC, 0);
}

/**
 * Starts a sealed image, with an empty environment and all signals at their defaults.
 * @param image descriptor from sealImage
 * @param argv what ps shows of it
 * @param keep descriptors that it inherits besides 0, 1 and 2, under the numbers they have here
 * @param standard what becomes its 0, 1, 2 and so on; by default the runtime's own streams
 * Returns its pid. Throws SyscallError.
 */
export function spawnImage(
  image: number,
  argv: readonly string[],
  keep: readonly number[],
  standard: SpawnRequest["standard"] = [0, 1, 2],
): number {
  if (image < standard.length) {
    // Something else is about to have this number in the new process, which is executed by it.
    using moved = new Descriptor(libc.fcntl(image, F.DUPFD_CLOEXEC, standard.length));
    return spawnImage(moved.fd, argv, keep, standard);
  }
  try {
    return posixSpawn({ path: `/proc/self/fd/${image}`, argv, env: [], keep, standard });
  } catch (error) {
    if (!(error instanceof SyscallError) || error.errno !== ERRNO.ENOENT) throw error;
    if (attempt.faccessat2(AT.FDCWD, "/proc/self/fd", 0, 0) === 0) throw error;
    throw new SyscallError(
      error.call,
      error.errno,
      `${error.rendered}: /proc is not mounted, and programs start through it`,
    );
  }
}
