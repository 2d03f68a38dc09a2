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

/** What is said of a process of bunc's that somebody killed, or that ended. */
export function describeEnd(what: string, signal: number): string {
  if (signal !== 9)
    return `${what} ${signal === 0 ? "ended" : `was killed by signal ${signal}`} before it was set up`;
  return `${what} was killed before it was set up: memory may have run out (see the kernel's log)`;
}
