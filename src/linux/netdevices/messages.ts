// Messages of rtnetlink(7): requests as bytes, and bytes as messages. Touches no machine.
import { NLM_F } from "../../../ffi/constants/netlink.ts";

/** A message that the kernel sent. */
export interface Message {
  readonly type: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** An attribute: its number, and its value. rtnetlink(7), struct rtattr. */
export type Attribute = readonly [type: number, value: Uint8Array];

/** struct nlmsghdr { u32 length; u16 type; u16 flags; u32 sequence; u32 port; } */
const headerSize = 16;
const attributeSize = 4;
const aligned = (length: number) => (length + 3) & ~3;

/** A whole request. The kernel answers with an acknowledgement, or an error, in the end. */
export function encodeRequest(
  type: number,
  flags: number,
  sequence: number,
  fixed: Uint8Array,
  attributes: readonly Attribute[] = [],
): Uint8Array {
  const room = attributes.reduce((sum, [, value]) => sum + aligned(attributeSize + value.length), 0);
  const bytes = new Uint8Array(headerSize + aligned(fixed.length) + room);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags | NLM_F.REQUEST | NLM_F.ACK, true);
  view.setUint32(8, sequence, true);
  bytes.set(fixed, headerSize);
  let at = headerSize + aligned(fixed.length);
  for (const [number, value] of attributes) {
    view.setUint16(at, attributeSize + value.length, true);
    view.setUint16(at + 2, number, true);
    bytes.set(value, at + attributeSize);
    at += aligned(attributeSize + value.length);
  }
  return bytes;
}

/** The messages of one packet. */
export function decodeMessages(packet: Uint8Array): Message[] {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const messages: Message[] = [];
  for (let at = 0; at + headerSize <= packet.length; ) {
    const length = view.getUint32(at, true);
    if (length < headerSize || at + length > packet.length) break;
    messages.push({
      type: view.getUint16(at + 4, true),
      sequence: view.getUint32(at + 8, true),
      body: packet.slice(at + headerSize, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

/** The attributes that follow the fixed part of a body. */
export function decodeAttributes(body: Uint8Array, fixed: number): Map<number, Uint8Array> {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const attributes = new Map<number, Uint8Array>();
  for (let at = fixed; at + attributeSize <= body.length; ) {
    const length = view.getUint16(at, true);
    if (length < attributeSize || at + length > body.length) break;
    // The two highest bits tell of nesting and byte order.
    attributes.set(view.getUint16(at + 2, true) & 0x3fff, body.slice(at + attributeSize, at + length));
    at += aligned(length);
  }
  return attributes;
}

/** Values of attributes. */
export const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
export const text = (value: string): Uint8Array => new TextEncoder().encode(`${value}\0`);
