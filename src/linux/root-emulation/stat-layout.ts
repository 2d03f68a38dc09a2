// What a program of the container gets for stat, with what is remembered in it.
import { AT, S } from "../../../ffi/constants/file.ts";
import { attempt } from "../../../ffi/libc.ts";
import { deviceNumber, statSize } from "../stat.ts";
import type { StatLayout } from "./calls.ts";
import type { FileFacts, Remembered } from "./owners.ts";

// struct stat: arch/x86/include/uapi/asm/stat.h, include/uapi/asm-generic/stat.h.
const native =
  process.arch === "arm64"
    ? { size: 128, mode: 16, uid: 24, gid: 28, rdev: 32 }
    : { size: statSize, mode: 24, uid: 28, gid: 32, rdev: 40 };

/** The mode that is shown: its type is the device's. */
function shownMode(mode: number, { device }: Remembered): number {
  return device ? (mode & ~S.IFMT) | device.type : mode;
}

/** As newfstatat(2) gives it; undefined when it does not. The layout is also that of x32. */
function nativeStat(fd: number, remembered: Remembered): Uint8Array | undefined {
  const bytes = new Uint8Array(native.size);
  if (attempt.newfstatat(fd, "", bytes, AT.EMPTY_PATH) < 0) return undefined;
  const view = new DataView(bytes.buffer);
  view.setUint32(native.mode, shownMode(view.getUint32(native.mode, true), remembered), true);
  view.setUint32(native.uid, remembered.uid, true);
  view.setUint32(native.gid, remembered.gid, true);
  const { device } = remembered;
  if (device) view.setBigUint64(native.rdev, BigInt(deviceNumber(device.major, device.minor)), true);
  return bytes;
}

/** What statx(2) has given, changed in place. */
function patchStatx({ bytes, mode }: FileFacts, remembered: Remembered): Uint8Array {
  const view = new DataView(bytes.buffer);
  view.setUint32(20, remembered.uid, true);
  view.setUint32(24, remembered.gid, true);
  view.setUint16(28, shownMode(mode, remembered), true);
  if (remembered.device) {
    view.setUint32(128, remembered.device.major, true);
    view.setUint32(132, remembered.device.minor, true);
  }
  return bytes;
}

// struct stat64 of 32-bit x86 and of ARM (EABI), whose 64-bit members are aligned to 8.
const stat64Of = {
  x64: { length: 96, size: 44, blockSize: 52, blocks: 56, times: 64, ino: 88 },
  arm64: { length: 104, size: 48, blockSize: 56, blocks: 64, times: 72, ino: 96 },
} as const;

/** From what statx has, patched. arch/x86/include/uapi/asm/stat.h, arch/arm/include/uapi/asm/stat.h. */
function stat64(statx: Uint8Array): Uint8Array {
  const layout = process.arch === "arm64" ? stat64Of.arm64 : stat64Of.x64;
  const from = new DataView(statx.buffer);
  const bytes = new Uint8Array(layout.length);
  const to = new DataView(bytes.buffer);
  const u32 = (offset: number) => from.getUint32(offset, true);
  const device = (offset: number) => BigInt(deviceNumber(u32(offset), u32(offset + 4)));
  to.setBigUint64(0, device(136), true);
  to.setUint32(12, u32(32), true);
  to.setUint32(16, from.getUint16(28, true), true);
  to.setUint32(20, u32(16), true);
  to.setUint32(24, u32(20), true);
  to.setUint32(28, u32(24), true);
  to.setBigUint64(32, device(128), true);
  to.setBigUint64(layout.size, from.getBigUint64(40, true), true);
  to.setUint32(layout.blockSize, u32(4), true);
  to.setBigUint64(layout.blocks, from.getBigUint64(48, true), true);
  // statx: access 64, birth 80, change 96, modification 112; here: access, modification, change.
  for (const [index, offset] of [64, 112, 96].entries()) {
    to.setUint32(layout.times + 8 * index, u32(offset), true);
    to.setUint32(layout.times + 8 * index + 4, u32(offset + 8), true);
  }
  to.setBigUint64(layout.ino, from.getBigUint64(32, true), true);
  return bytes;
}

/** The bytes for the caller's buffer; undefined when the kernel does not tell any more. */
export function renderStat(
  layout: StatLayout,
  fd: number,
  facts: FileFacts,
  remembered: Remembered,
): Uint8Array | undefined {
  if (layout === "native") return nativeStat(fd, remembered);
  const statx = patchStatx(facts, remembered);
  return layout === "statx" ? statx : stat64(statx);
}
