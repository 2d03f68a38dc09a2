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
