import { readText } from "../../ffi/file.ts";

/** The text of a file of /proc; `otherwise` where /proc is masked or the kernel has no such file. */
export function readOr(path: string, otherwise: string): string {
  try {
    return readText(path);
  } catch {
    return otherwise;
  }
}
