/** A command line that cannot be obeyed. The message is one line; it names the command when there is one. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
