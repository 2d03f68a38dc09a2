import { errnoName, errnoText } from "../../ffi/errno-text.ts";
import { SyscallError } from "../../ffi/error.ts";
import { attempt } from "../../ffi/libc.ts";
import { findHint } from "./hints/find.ts";
import { findNamespaceHint } from "./namespace-hint.ts";

// Loaded only when something went wrong.

function describe(error: Error): string {
  if (error instanceof SyscallError) {
    return `${error.message}: ${errnoName(error.errno)} (${errnoText(error.errno)})`;
  }
  const text = error.message || error.name;
  // Only a mistake of ours throws these.
  return error instanceof TypeError || error instanceof ReferenceError ? `internal error: ${text}` : text;
}

/** An error and what caused it, outermost first. */
function chain(error: unknown): Error[] {
  const errors: Error[] = [];
  for (let link = error; link !== undefined && link !== null; ) {
    if (!(link instanceof Error)) return [...errors, new Error(String(link))];
    // A cause that leads back to itself would never end.
    if (errors.includes(link)) break;
    errors.push(link);
    link = link.cause;
  }
  return errors;
}

/**
 * An error in one line: what was being done, the property that asked for it, the call that failed, what its error number
 * means, what usually causes that, and the cure.
 */
export function explain(error: unknown): string {
  const errors = chain(error);
  const parts: string[] = [];
  for (const part of errors.map(describe)) {
    // Some wrap an error and repeat its message.
    if (!parts.at(-1)?.includes(part)) parts.push(part);
  }
  const text = parts.join(": ") || "an error without a message";
  const failed = errors.findLast((link) => link instanceof SyscallError);
  const hint =
    failed &&
    (findNamespaceHint(failed, text, attempt.geteuid()) ?? findHint(failed.call, failed.errno, text));
  return hint ? `${text}; ${hint.cause}; ${hint.cure}` : text;
}
