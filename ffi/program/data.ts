// The memory of a recorded program while it is recorded: strings and structs, each encoded once.

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
    if (offset < 0 || offset > this.size) throw new RangeError(`offset ${offset} in ${this.size} bytes`);
    return new Data(this.area, this.offset + offset, this.size - offset);
  }
}

/** Bytes that grow. */
class Growing {
  bytes: Uint8Array;
  used = 0;

  constructor(room: number) {
    this.bytes = new Uint8Array(room);
  }

  /** Makes room for `size` more bytes and returns where they begin. */
  reserve(size: number, alignment: number): number {
    const start = Math.ceil(this.used / alignment) * alignment;
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
  readonly areas = { text: new Growing(8192), data: new Growing(1024) };
  spaceSize = 0;
  /** Places that hold the address of other data. */
  readonly links: { readonly target: Data; readonly value: Data }[] = [];
  /** Everything that is not a text, for listings. */
  readonly blobs: { readonly data: Data; readonly note: string | undefined }[] = [];
  private readonly texts = new Map<string, Data>();

  text(text: string): Data {
    const known = this.texts.get(text);
    if (known) return known;
    if (text.includes("\0")) throw new RangeError(`a string with a NUL inside: ${JSON.stringify(text)}`);
    const area = this.areas.text;
    // UTF-8 needs at most three bytes for a UTF-16 unit; what is not used is given back.
    const start = area.reserve(text.length * 3 + 1, 1);
    const { written } = encoder.encodeInto(text, area.bytes.subarray(start));
    area.bytes.fill(0, start + written, area.used);
    area.used = start + written + 1;
    const data = new Data("text", start, written + 1);
    this.texts.set(text, data);
    return data;
  }

  bytes(area: "text" | "data", bytes: Uint8Array, note: string | undefined): Data {
    const growing = this.areas[area];
    const start = growing.reserve(bytes.length, 8);
    growing.bytes.set(bytes, start);
    return this.noted(new Data(area, start, bytes.length), note);
  }

  space(size: number, note: string | undefined): Data {
    const start = Math.ceil(this.spaceSize / 8) * 8;
    this.spaceSize = start + size;
    return this.noted(new Data("space", start, size), note);
  }

  link(target: Data, value: Data): void {
    if (target.area === "space")
      throw new Error("link: the target must have bytes in the image, space has none");
    if (target.size < 8) throw new RangeError("link: an address needs 8 bytes");
    this.links.push({ target, value });
  }

  private noted(data: Data, note: string | undefined): Data {
    this.blobs.push({ data, note });
    return data;
  }
}
