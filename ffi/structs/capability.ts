// Structs of capget(2) and capset(2), include/uapi/linux/capability.h.

const version3 = 0x20080522;

/** Size of the data that goes with capHeader's version. */
export const CAP_DATA_SIZE = 24;

/** struct __user_cap_header_struct. pid 0 is the caller. */
export function capHeader(pid = 0): Uint8Array {
  return new Uint8Array(new Uint32Array([version3, pid]).buffer);
}

/** Capability sets, bit N for the capability of number N. */
export interface CapabilitySets {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
}

/** struct __user_cap_data_struct[2]: the low 32 capabilities of the three sets, then the high ones. */
export function capData({ effective, permitted, inheritable }: CapabilitySets): Uint8Array {
  const low = (set: bigint) => Number(set & 0xffff_ffffn);
  const high = (set: bigint) => Number(set >> 32n);
  const words = new Uint32Array([
    low(effective),
    low(permitted),
    low(inheritable),
    high(effective),
    high(permitted),
    high(inheritable),
  ]);
  return new Uint8Array(words.buffer);
}

/** Reads what capget wrote. */
export function readCapData(bytes: Uint8Array): CapabilitySets {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset);
  const set = (index: number) => BigInt(words[index] ?? 0) | (BigInt(words[index + 3] ?? 0) << 32n);
  return { effective: set(0), permitted: set(1), inheritable: set(2) };
}
