import type { SyscallError } from "../../ffi/error.ts";

/** A container's first processes could not do one of their steps, or ended before they were done. */
export class ContainerError extends Error {
  override readonly name = "ContainerError";

  /**
   * @param origin the config property, or the deed, that asked for the step
   * @param message what people read, without the origin
   * @param options.cause the failed call, when there is one
   */
  constructor(
    readonly origin: string,
    message: string,
    options?: { cause?: SyscallError },
  ) {
    super(message, options);
  }
}

/**
 * What is said of a process of bunc's that somebody killed, or that ended.
 * @param born in a cgroup of version 2 by CLONE_INTO_CGROUP. Since Linux 6.13 the kernel compares how often cgroup.kill
 * was written in the new cgroup and in that of the maker, and kills the child when the two differ.
 */
export function describeEnd(what: string, signal: number, born: boolean): string {
  if (signal !== 9)
    return `${what} ${signal === 0 ? "ended" : `was killed by signal ${signal}`} before it was set up`;
  const memory = "memory may have run out (see the kernel's log)";
  const killed = born
    ? `; or cgroup.kill was once written in bunc's own cgroup, and Linux 6.13 and later kill what is made from there: call bunc from another one`
    : "";
  return `${what} was killed before it was set up: ${memory}${killed}`;
}
