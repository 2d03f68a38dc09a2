/**
 * A system call that failed. The message is one line that prints the call as strace would, with what the error number
 * means; ffi/describe.ts renders it only when somebody reads it.
 */
export class SyscallError extends Error {
  override readonly name = "SyscallError";

  /**
   * @param call name of the system call or libc function
   * @param errno positive error number
   * @param rendered the call with its decoded arguments, `openat(AT_FDCWD, "/x", O_RDONLY)`
   */
  constructor(
    readonly call: string,
    readonly errno: number,
    readonly rendered: string,
  ) {
    super(rendered);
  }
}
