// As much of the wire format of protocol buffers as criu's messages need: varints and what has a length. Pure.
// https://protobuf.dev/programming-guides/encoding/

/** A number or a truth value is a varint; text, bytes and a message within the message have a length before them. */
export type Value = number | boolean | string | Uint8Array | readonly Field[];

/** A field by its number; a list is a repeated field, and undefined leaves it out. */
export type Field = readonly [number: number, value: Value | undefined];

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

const encoder = new TextEncoder();

/** The bytes of a message. Numbers are integers; negative ones take ten bytes, as an int32 does. */
export function encodeMessage(fields: readonly Field[]): Uint8Array {
  const bytes: number[] = [];
  for (const [number, value] of fields) {
    if (value === undefined) continue;
    if (typeof value === "number" || typeof value === "boolean") {
      pushVarint(bytes, BigInt(number * 8 + VARINT));
      pushVarint(bytes, BigInt(value));
      continue;
    }
    const content = contentOf(value);
    pushVarint(bytes, BigInt(number * 8 + LENGTH));
    pushVarint(bytes, BigInt(content.length));
    for (const byte of content) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function contentOf(value: string | Uint8Array | readonly Field[]): Uint8Array {
  if (typeof value === "string") return encoder.encode(value);
  return value instanceof Uint8Array ? value : encodeMessage(value);
}

function pushVarint(bytes: number[], value: bigint): void {
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
}

/** The fields of a message by their numbers; of one that is there more than once, the last. */
export type Decoded = ReadonlyMap<number, number | Uint8Array>;

/** Understands a message. Throws RangeError when it is cut short or holds what criu's messages never hold. */
export function decodeMessage(bytes: Uint8Array): Decoded {
  const fields = new Map<number, number | Uint8Array>();
  const reader = new Reader(bytes);
  while (!reader.atEnd()) {
    const key = reader.varint();
    const number = Math.floor(key / 8);
    const type = key % 8;
    if (type === VARINT) fields.set(number, reader.varint());
    else if (type === LENGTH) fields.set(number, reader.take(reader.varint()));
    else if (type === FIXED64) reader.take(8);
    else if (type === FIXED32) reader.take(4);
    else throw new RangeError(`a protocol buffer with a field of type ${type}`);
  }
  return fields;
}

class Reader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  take(length: number): Uint8Array {
    if (length < 0 || this.at + length > this.bytes.length) throw cutShort();
    const taken = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return taken;
  }

  varint(): number {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw cutShort();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw new RangeError("a protocol buffer with a number of more than 64 bits");
  }
}

function cutShort(): RangeError {
  return new RangeError("a protocol buffer that is cut short");
}
