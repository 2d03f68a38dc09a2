import { words } from "./words.ts";

/** Where struct sock_fprog has the address of its filter: link it, program.link(fprog.at(SOCK_FPROG_FILTER), filter). */
export const SOCK_FPROG_FILTER = 8;

/** Bytes of one instruction of a filter, struct sock_filter. */
export const SOCK_FILTER_SIZE = 8;

/** struct sock_fprog of seccomp(2), include/uapi/linux/filter.h, for a filter of so many instructions. */
export function sockFprog(instructions: number): Uint8Array {
  return words(instructions, 0);
}
