// struct stat of newfstatat(2), which differs between x86-64 and arm64, as recorded programs look at it.
// Source: arch/x86/include/uapi/asm/stat.h, include/uapi/asm-generic/stat.h.
import { S } from "../../ffi/constants/file.ts";
import type { Data, Program, Step } from "../../ffi/program/program.ts";

const arm64 = process.arch === "arm64";

/** Bytes of struct stat, rounded up. */
export const statSize = 144;
const modeOffset = arm64 ? 16 : 24;
const rdevOffset = arm64 ? 32 : 40;

/** Fails with `errno` unless the file is of a type (S.IF*). */
export function recordExpectType(program: Program, stat: Data, type: number, errno: number): Step {
  return program.expect(stat.at(modeOffset), S.IFMT, type, errno);
}

/** Fails with `errno` unless the file is the device of these numbers. */
export function recordExpectDevice(
  program: Program,
  stat: Data,
  major: number,
  minor: number,
  errno: number,
): Step {
  return program.expect(stat.at(rdevOffset), 0xffff_ffff_ffff_ffffn, deviceNumber(major, minor), errno);
}

/** dev_t as the kernel encodes it for user space. include/linux/kdev_t.h, new_encode_dev. */
export function deviceNumber(major: number, minor: number): number {
  return (minor & 0xff) + major * 256 + (minor >>> 8) * 0x100000;
}
