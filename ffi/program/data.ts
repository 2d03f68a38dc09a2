// The memory of a program while it is recorded: strings and structs, each encoded once.
import { alignUp } from "./layout.ts";

/** text: never written to; data: has bytes in the image; space: zeroed, has none. In this order in memory. */
export type Area = "text" | "data" | "space";

/** The address of bytes in the writable segment. */
export class Data {
  constructor(
    readonly area: Area,
    /** From the start of the area, in bytes. */
    readonly offset: number,
    readonly size: number,
  ) {}

  /** The address `offset` bytes further on. Throws RangeError when it is outside. */
  at(offset: number): Data {
    if (!(offset >= 0 && offset <= this.size)) throw new RangeError(`offset ${offset} in ${this.size} bytes`);
    return new Data(this.area, this.offset + offset, this.size - offset);
  }
}

/** Eight bytes that are to hold the address of other data. */
export interface Link {
  readonly area: "text" | "data";
  readonly offset: number;
  readonly value: Data;
}

/** Bytes that grow. */
class Growing {
  bytes: Uint8Array;
  used: number;

  constructor(room: number) {
    this.bytes = new Uint8Array(room);
    this.used = 0;
  }

  /** Makes room for `size` more zeroed bytes and returns where they begin. */
  reserve(size: number, alignment: number): number {
    const start = alignUp(this.used, alignment);
    if (start + size > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, start + size));
      grown.set(this.bytes.subarray(0, this.used));
      this.bytes = grown;
    }
    this.used = start + size;
    return start;
  }
}

const encoder = new TextEncoder();

/** What a program keeps besides its steps. */
export class Memory {
  readonly text: Growing;
  readonly data: Growing;
  spaceSize: number;
  readonly links: Link[];
  /** Everything but the texts, for listings: area, offset, size and note of each, one after the other. */
  readonly blobs: (Area | number | string | null)[];
  private readonly texts: Map<string, Data>;
  private readonly constants: Map<Uint8Array, Data>;

  constructor() {
    this.text = new Growing(8192);
    this.data = new Growing(1024);
    this.spaceSize = 0;
    this.links = [];
    this.blobs = [];
    this.texts = new Map();
    this.constants = new Map();
  }

  /** A NUL-terminated text; the same one has the same address. Throws RangeError when it has a NUL inside. */
  intern(text: string): Data {
    const known = this.texts.get(text);
    if (known) return known;
    if (text.includes("\0")) throw new RangeError(`a string with a NUL inside: ${JSON.stringify(text)}`);
    const area = this.text;
    // UTF-8 needs at most three bytes for a UTF-16 unit; what is not used is given back, still zero.
    const start = area.reserve(text.length * 3 + 1, 1);
    const size = encoder.encodeInto(text, area.bytes.subarray(start)).written + 1;
    area.used = start + size;
    const data = new Data("text", start, size);
    this.texts.set(text, data);
    return data;
  }

  /** A copy of bytes that nobody writes to; the same array, which nobody may have changed, has the same address. */
  constant(bytes: Uint8Array): Data {
    const known = this.constants.get(bytes);
    if (known) return known;
    const data = this.bytes("text", bytes);
    this.constants.set(bytes, data);
    return data;
  }

  /** A copy of bytes, aligned to 8. */
  bytes(area: "text" | "data", bytes: Uint8Array, note?: string): Data {
    const growing = this[area];
    const start = growing.reserve(bytes.length, 8);
    growing.bytes.set(bytes, start);
    this.blobs.push(area, start, bytes.length, note ?? null);
    return new Data(area, start, bytes.length);
  }

  /** Zeroed bytes, aligned to 8. */
  space(size: number, note?: string): Data {
    const start = alignUp(this.spaceSize, 8);
    this.spaceSize = start + size;
    this.blobs.push("space", start, size, note ?? null);
    return new Data("space", start, size);
  }

  /** A NULL-terminated array of addresses. */
  vector(entries: readonly (string | Data)[]): Data {
    const size = 8 * (entries.length + 1);
    const start = this.text.reserve(size, 8);
    this.blobs.push("text", start, size, null);
    let offset = start;
    for (const entry of entries) {
      this.links.push({
        area: "text",
        offset,
        value: typeof entry === "string" ? this.intern(entry) : entry,
      });
      offset += 8;
    }
    return new Data("text", start, size);
  }

  /** Makes 8 bytes the address of other data. Throws when the target has no bytes in the image, or too few. */
  link({ area, offset, size }: Data, value: Data): void {
    if (area === "space") throw new Error("link: the target must have bytes in the image, space has none");
    if (size < 8) throw new RangeError("link: an address needs 8 bytes");
    this.links.push({ area, offset, value });
  }
}
