// The interpreters without their assembly. image.ts imports this as a macro, so that bunc has the bytes alone.
import type { Arch } from "../layout.ts";
import { arm64 } from "./arm64.ts";
import { x64 } from "./x64.ts";

/** The bytes that a table like those beside this file stands for. */
export function tableBytes(arch: Arch, table: readonly (number | string)[]): Uint8Array {
  const numbers = table.filter((entry) => typeof entry === "number");
  return arch === "x64" ? new Uint8Array(numbers) : new Uint8Array(new Uint32Array(numbers).buffer);
}

/** The interpreter of programs for a processor, a byte an item. */
export function machineCode(arch: Arch): readonly number[] {
  return [...tableBytes(arch, arch === "x64" ? x64 : arm64)];
}
