import { ptr } from "./engine.ts";

// One buffer that lives as long as the process: its address is asked for once, and what a call reads from it stays
// reachable until the call is over, which the garbage collector promises of no other buffer.
const arena = new Uint8Array(1 << 16);
const base = ptr(arena) as number;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

let used = 0;
let held: Uint8Array[] = [];

/** Everything lent since the last call may be overwritten from now on. Called at the start of every system call. */
export function beginCall(): void {
  used = 0;
  if (held.length > 0) held = [];
}

/**
 * Lends the address of a NUL-terminated copy of `text`, good until the next call.
 * Throws RangeError when the text has a NUL in it: the kernel would read a shorter one than was checked.
 */
export function lendText(text: string): number {
  if (text.includes("\0")) throw new RangeError(`a string with a NUL inside: ${JSON.stringify(text)}`);
  const room = arena.length - used;
  if (text.length * 3 + 1 <= room) {
    const { written } = encoder.encodeInto(text, used === 0 ? arena : arena.subarray(used));
    arena[used + written] = 0;
    const address = base + used;
    used += written + 1;
    return address;
  }
  const bytes = encoder.encode(`${text}\0`);
  held.push(bytes);
  return ptr(bytes) as number;
}

/** Lends the address of a caller's buffer; the caller keeps it reachable. 0 for an empty one: it has no address. */
export function lendBytes(bytes: Uint8Array): number {
  if (bytes.byteLength === 0) return 0;
  held.push(bytes);
  return ptr(bytes) as number;
}

/** UTF-8 bytes of a text, without a NUL. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text of bytes, up to `length` or to the first NUL when `length` is not given. */
export function decodeText(bytes: Uint8Array, length?: number): string {
  const end = length ?? bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
