import { closeSync, openSync, writeSync } from "node:fs";

/** Bytes to be written over those of a file, or behind them. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Writes some patches into a file. */
export function writePatches(path: string, patches: readonly Patch[]): void {
  const fd = openSync(path, "r+");
  try {
    for (const { offset, bytes } of patches) writeSync(fd, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(fd);
  }
}
