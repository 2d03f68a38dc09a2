import { ERRNO } from "./constants/errno.ts";
import { F, F_SEAL, MFD } from "./constants/file.ts";
import { Descriptor } from "./file.ts";
import { attempt, failure, libc } from "./libc.ts";

/**
 * A file without a name for data, which nothing can be executed from: memfd_create(2). Close-on-exec, and open for reading
 * and writing.
 * @param name is shown in /proc/PID/fd
 * Throws SyscallError.
 */
export function createDataFile(name: string): Descriptor {
  const flags = MFD.CLOEXEC | MFD.ALLOW_SEALING;
  // With vm.memfd_noexec=2 only the flag will do; kernels before 6.3 do not know it.
  let fd = attempt.memfd_create(name, flags | MFD.NOEXEC_SEAL);
  if (fd === -ERRNO.EINVAL) fd = attempt.memfd_create(name, flags);
  if (fd < 0) throw failure("memfd_create", [name, flags], -fd);
  return new Descriptor(fd);
}

/** From here on nobody can change what is in it: F_ADD_SEALS of fcntl(2). Throws SyscallError. */
export function sealFile(fd: number): void {
  libc.fcntl(fd, F.ADD_SEALS, F_SEAL.SEAL | F_SEAL.SHRINK | F_SEAL.GROW | F_SEAL.WRITE);
}
