import { AT, O } from "../../../ffi/constants/file.ts";
import { CLOSE_RANGE } from "../../../ffi/constants/process.ts";
import { Descriptor } from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import { posixSpawn } from "../../../ffi/posix-spawn.ts";

/** The numbers of what it inherits. */
export const supervisorDescriptors = { listener: 3, socket: 4 } as const;

/**
 * Starts the supervisor of a container: bunc's own executable, which outlives this process, and holds nothing of the
 * caller's.
 * @param command has the executable be the supervisor, and says of which container
 * @param socket listens for those who have further listeners
 * Throws SyscallError.
 */
export function startSupervisor(command: readonly string[], listener: Descriptor, socket: Descriptor): void {
  // What the caller has leaked must not stay open in it: somebody may wait for the end of a pipe.
  libc.close_range(3, 0xffff_ffff, CLOSE_RANGE.CLOEXEC);
  using nothing = new Descriptor(libc.openat(AT.FDCWD, "/dev/null", O.RDWR | O.CLOEXEC, 0));
  const program = Bun.isStandaloneExecutable ? ["bunc"] : ["bun", Bun.main];
  posixSpawn({
    path: "/proc/self/exe",
    argv: [...program, ...command],
    env: [],
    keep: [],
    standard: [nothing.fd, nothing.fd, nothing.fd, listener.fd, socket.fd],
  });
}
