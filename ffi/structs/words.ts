// Kernel structs are little-endian on both machines and made of 64-bit words for the most part.

/** Bytes of unsigned 64-bit words. Negative numbers become their two's complement. */
export function words(...values: readonly (number | bigint)[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, index) => {
    view.setBigUint64(8 * index, BigInt.asUintN(64, BigInt(value)), true);
  });
  return new Uint8Array(view.buffer);
}
