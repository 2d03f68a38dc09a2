// A filter that its process reads when it needs it. So the process can be made before the filter is compiled: what the
// kernel does to make it, on another processor, takes as long.
import { BPF_MAXINSNS } from "../../../ffi/constants/seccomp.ts";
import { createDataFile, sealFile } from "../../../ffi/data-file.ts";
import { type Descriptor, writeAll } from "../../../ffi/file.ts";
import { SOCK_FILTER_SIZE, SOCK_FPROG_FILTER, sockFprog } from "../../../ffi/structs/sock-fprog.ts";
import { SpecError } from "../../spec/error.ts";

/** An empty file, close-on-exec, for one filter. Throws SyscallError. */
export function createFilterFile(): Descriptor {
  return createDataFile("bunc filter");
}

/**
 * Puts a filter into its file: the beginning of a sock_fprog, with the number of instructions, and the instructions. Nobody
 * can change them afterwards.
 * @param filter struct sock_filter[]
 * Throws SpecError when it is longer than the kernel takes, SyscallError.
 */
export function fillFilterFile(file: Descriptor, filter: Uint8Array): void {
  checkLength(filter);
  const bytes = new Uint8Array(SOCK_FPROG_FILTER + filter.length);
  bytes.set(sockFprog(filter.length / SOCK_FILTER_SIZE).subarray(0, SOCK_FPROG_FILTER));
  bytes.set(filter, SOCK_FPROG_FILTER);
  writeAll(file.fd, bytes);
  sealFile(file.fd);
}

/** Throws SpecError when a filter is longer than the kernel takes. */
export function checkLength(filter: Uint8Array): void {
  const count = filter.length / SOCK_FILTER_SIZE;
  if (count <= BPF_MAXINSNS) return;
  throw new SpecError(
    "linux.seccomp",
    `compiles to ${count} instructions, and the kernel takes ${BPF_MAXINSNS}: ` +
      "name fewer architectures or fewer argument conditions",
  );
}
