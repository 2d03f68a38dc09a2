import { SyscallError } from "../../ffi/error.ts";
import { Descriptor } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { connectUnix, sendDescriptor } from "../../ffi/socket.ts";
import { ContainerError } from "./error.ts";

/**
 * Sends a pidfd of a process to whoever listens at a socket: a caller that holds it signals this process, and never
 * another one that got its number later. pidfd_open(2).
 * @param pid a child of this process that has not been waited for
 * Throws ContainerError, caused by the call that failed.
 */
export function sendPidfd(path: string, pid: number): void {
  try {
    using socket = connectUnix(path);
    using pidfd = new Descriptor(libc.pidfd_open(pid, 0));
    sendDescriptor(socket.fd, pidfd.fd, "pidfd");
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new ContainerError("--pidfd-socket", `--pidfd-socket: the pidfd cannot be sent to ${path}`, {
      cause: error,
    });
  }
}
