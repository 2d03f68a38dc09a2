// Values of D-Bus messages. D-Bus specification, "Type System". Pure: ffi/sd-bus.ts puts them into messages.

/** A value with its type. Integers are y n q i u x t of the specification, texts s o g. */
export type BusValue =
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "integer"; readonly type: IntegerType; readonly value: bigint }
  | { readonly kind: "double"; readonly value: number }
  | { readonly kind: "text"; readonly type: "s" | "o" | "g"; readonly value: string }
  /** `element` is the signature of every item: an array may be empty. */
  | { readonly kind: "array"; readonly element: string; readonly items: readonly BusValue[] }
  | { readonly kind: "struct"; readonly members: readonly BusValue[] };

export type IntegerType = keyof typeof INTEGER_RANGES;

/** Smallest and greatest value of each type of integer. */
export const INTEGER_RANGES = {
  y: [0n, 0xffn],
  n: [-0x8000n, 0x7fffn],
  q: [0n, 0xffffn],
  i: [-0x8000_0000n, 0x7fff_ffffn],
  u: [0n, 0xffff_ffffn],
  x: [-(1n << 63n), (1n << 63n) - 1n],
  t: [0n, (1n << 64n) - 1n],
} as const satisfies Record<string, readonly [bigint, bigint]>;

/** A property of a systemd unit. */
export interface BusProperty {
  readonly name: string;
  readonly value: BusValue;
}

/** The signature of a value: `as`, `(st)`. */
export function signatureOf(value: BusValue): string {
  switch (value.kind) {
    case "boolean":
      return "b";
    case "double":
      return "d";
    case "integer":
    case "text":
      return value.type;
    case "array":
      return `a${value.element}`;
    case "struct":
      return `(${value.members.map(signatureOf).join("")})`;
  }
}

export function busText(value: string): BusValue {
  return { kind: "text", type: "s", value };
}

export function busBoolean(value: boolean): BusValue {
  return { kind: "boolean", value };
}

/** An unsigned integer of 64 bits, as most limits of systemd are; -1 becomes the greatest, which means infinity. */
export function busUint64(value: bigint): BusValue {
  return { kind: "integer", type: "t", value: BigInt.asUintN(64, value) };
}

export function busUint32(value: number): BusValue {
  return { kind: "integer", type: "u", value: BigInt(value) };
}

export function busArray(element: string, items: readonly BusValue[]): BusValue {
  return { kind: "array", element, items };
}
