// Why a step of a program failed, for people. Loaded only when one did.
import { ERRNO } from "../../ffi/constants/errno.ts";
import { errnoText } from "../../ffi/errno-text.ts";
import { SyscallError } from "../../ffi/error.ts";
import { describeStep } from "../../ffi/program/listing.ts";
import { ContainerError } from "./error.ts";

const executing = new Set(["execve", "faccessat2", "expect"]);

/**
 * The error of a failed step.
 * @param image the program's image, or a saved copy of it
 * @param args0 process.args[0], for the words that callers look for when it cannot be executed
 */
export function explainStep(image: Uint8Array, step: number, errno: number, args0: string): ContainerError {
  const { origin, call } = describeStep(image, step);
  const name = call.slice(0, call.indexOf("("));
  const cause = new SyscallError(name, errno, call);
  if (origin === "process.args[0]" && executing.has(name)) {
    return new ContainerError(origin, explainExecution(args0, errno), { cause });
  }
  return new ContainerError(origin, origin, { cause });
}

/** podman and cri-o tell exit status 127 and 126 from each other by these words. */
function explainExecution(args0: string, errno: number): string {
  const missing = errno === ERRNO.ENOENT || errno === ERRNO.ENOTDIR;
  if (missing && !args0.includes("/")) return `exec: "${args0}": executable file not found in $PATH`;
  const reason = missing ? "no such file or directory" : errnoText(errno).toLowerCase();
  return `exec: "${args0}": ${reason}`;
}
