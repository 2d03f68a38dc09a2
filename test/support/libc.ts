/** The few system calls that tests need and that Bun has no function for. */
import { dlopen, ptr, read } from "bun:ffi";
import { getSystemErrorName } from "node:util";

const symbols = {
  prctl: { args: ["int", "u64", "u64", "u64", "u64"], returns: "int" },
  waitpid: { args: ["int", "ptr", "int"], returns: "int" },
  fcntl: { args: ["int", "int", "u64"], returns: "int" },
  ioctl: { args: ["int", "u64", "ptr"], returns: "int" },
  pipe2: { args: ["ptr", "int"], returns: "int" },
  socket: { args: ["int", "int", "int"], returns: "int" },
  bind: { args: ["int", "ptr", "u32"], returns: "int" },
  listen: { args: ["int", "int"], returns: "int" },
  accept4: { args: ["int", "ptr", "ptr", "int"], returns: "int" },
  recvmsg: { args: ["int", "ptr", "int"], returns: "i64" },
  __errno_location: { args: [], returns: "ptr" },
} as const;

export const libc = dlopen("libc.so.6", symbols).symbols;

function lastErrno(): number {
  const location = libc.__errno_location();
  if (location === null) throw new Error("no errno");
  return read.i32(location, 0);
}

/** Throws when a call returned -1. */
export function checked(call: string, result: number | bigint): number {
  if (Number(result) >= 0) return Number(result);
  throw new Error(`${call}: ${getSystemErrorName(-lastErrno())}`);
}

const PR_SET_CHILD_SUBREAPER = 36;

/** Makes this process the parent of every orphan among its descendants, as buildah and conmon do. */
export function becomeSubreaper(): void {
  checked("prctl(PR_SET_CHILD_SUBREAPER)", libc.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n));
}

const WNOHANG = 1;

/** The exit status of a child as a shell gives it (128 + n for signal n), or undefined while it runs. */
export function reap(pid: number): number | undefined {
  const status = new Int32Array(1);
  const result = checked(`waitpid(${pid})`, libc.waitpid(pid, ptr(status), WNOHANG));
  if (result === 0) return undefined;
  const word = status[0] ?? 0;
  const signal = word & 0x7f;
  return signal === 0 ? (word >> 8) & 0xff : 128 + signal;
}

const F_GETFL = 3;
const F_GET_SEALS = 1034;

/** The flags of an open file description (O_NONBLOCK and the like). */
export const statusFlags = (fd: number): number => checked("fcntl(F_GETFL)", libc.fcntl(fd, F_GETFL, 0n));

/** The F_SEAL bits of a memfd; throws EINVAL for any other file. */
export const fileSeals = (fd: number): number =>
  checked("fcntl(F_GET_SEALS)", libc.fcntl(fd, F_GET_SEALS, 0n));

/** A pipe, close-on-exec: [read end, write end]. */
export function pipe(): [number, number] {
  const ends = new Int32Array(2);
  const O_CLOEXEC = 0o2000000;
  checked("pipe2", libc.pipe2(ptr(ends), O_CLOEXEC));
  return [ends[0] ?? -1, ends[1] ?? -1];
}

const F_SETFL = 4;

/** Sets the flags of an open file description. */
export const setStatusFlags = (fd: number, flags: number): number =>
  checked("fcntl(F_SETFL)", libc.fcntl(fd, F_SETFL, BigInt(flags)));
