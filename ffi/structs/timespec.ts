import { words } from "./words.ts";

/** struct timespec, include/uapi/linux/time.h. */
export function timespec(seconds: number | bigint, nanoseconds: number): Uint8Array {
  return words(seconds, nanoseconds);
}
