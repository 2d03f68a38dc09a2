import { words } from "./words.ts";

/** No limit. */
export const RLIM64_INFINITY = 0xffff_ffff_ffff_ffffn;

/** struct rlimit64 of prlimit64(2), include/uapi/linux/resource.h. */
export function rlimit64(soft: number | bigint, hard: number | bigint): Uint8Array {
  return words(soft, hard);
}
