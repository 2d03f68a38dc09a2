import { ERRNO } from "../../../ffi/constants/errno.ts";
import { AF, IFF_UP, IOCTL, SOCK } from "../../../ffi/constants/socket.ts";
import type { Program } from "../../../ffi/program/program.ts";

/**
 * Brings the loopback interface of a new network namespace up: the kernel leaves it down. netdevice(7).
 * A kernel without IPv4 has no such socket, and then there is nothing to bring up this way.
 */
export function recordLoopback(program: Program): void {
  program.because("linux.namespaces");
  const without = program.label("no IPv4");
  const socket = program.socket(AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0).orJump(without, ERRNO.EAFNOSUPPORT);
  program.ioctl(socket, IOCTL.SIOCSIFFLAGS, interfaceRequest("lo", IFF_UP));
  program.close(socket);
  program.place(without);
}

/** struct ifreq with flags: a name of 16 bytes, then a short; 40 bytes in all. */
function interfaceRequest(name: string, flags: number): Uint8Array {
  const request = new Uint8Array(40);
  new TextEncoder().encodeInto(name, request);
  request[16] = flags & 0xff;
  request[17] = flags >> 8;
  return request;
}
