import { words } from "./words.ts";

/** Size of struct open_how, the last argument of openat2. */
export const OPEN_HOW_SIZE = 24;

/** struct open_how of openat2(2), include/uapi/linux/openat2.h: O flags, mode of what is created, RESOLVE flags. */
export function openHow(flags: number, mode: number, resolve: number): Uint8Array {
  return words(flags, mode, resolve);
}
