/** A machine for seccomp filters: decides what the kernel would, for any call of any architecture. */

/** What a filter sees: struct seccomp_data. */
export interface CallData {
  readonly number: number;
  /** AUDIT_ARCH_*, as the kernel reports it: SECCOMP_ARCH, but for X32. */
  readonly architecture: number;
  readonly args: readonly bigint[];
}

export interface Decision {
  /** SECCOMP_RET_* with its data. */
  readonly action: number;
  /** Instructions executed. */
  readonly steps: number;
}

function words({ number, architecture, args }: CallData): Uint32Array {
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(0, number, true);
  view.setUint32(4, architecture, true);
  for (let index = 0; index < 6; index++) view.setBigUint64(16 + 8 * index, args[index] ?? 0n, true);
  return new Uint32Array(view.buffer);
}

// The instructions that the kernel lets a seccomp filter have and that compilers of profiles use. linux/filter.h.
const LD_W_ABS = 0x20;
const ALU_AND_K = 0x54;
const JA = 0x05;
const JEQ = 0x15;
const JGT = 0x25;
const JGE = 0x35;
const JSET = 0x45;
const RET_K = 0x06;

function taken(code: number, accumulator: number, k: number): boolean {
  if (code === JEQ) return accumulator === k;
  if (code === JGT) return accumulator > k;
  if (code === JGE) return accumulator >= k;
  if (code === JSET) return (accumulator & k) !== 0;
  throw new Error(`instruction 0x${code.toString(16)}`);
}

/** Runs a filter. Throws for what the kernel would refuse to load: jumps past the end, unknown instructions. */
export function decide(filter: Uint8Array, call: CallData): Decision {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const data = words(call);
  let accumulator = 0;
  let at = 0;
  for (let steps = 1; ; steps++) {
    const code = view.getUint16(8 * at, true);
    const k = view.getUint32(8 * at + 4, true);
    if (code === RET_K) return { action: k, steps };
    at++;
    if (code === LD_W_ABS) {
      if (k % 4 !== 0 || k >= 64) throw new Error(`load from ${k}`);
      accumulator = data[k / 4] as number;
    } else if (code === ALU_AND_K) accumulator = (accumulator & k) >>> 0;
    else if (code === JA) at += k;
    else at += view.getUint8(8 * at - 8 + (taken(code, accumulator, k) ? 2 : 3));
  }
}
