// An image read back: its steps, what they point at, and what its note says of them.
import type { Area } from "./data.ts";
import {
  type Arch,
  discardRegister,
  errnoCount,
  type ImageNote,
  MACHINE,
  noteHeader,
  noteName,
  pageSize,
  registerCount,
  segmentAddress,
  segmentOffset,
  stepSize,
  stepsAddress,
} from "./layout.ts";

/** A step as the interpreter sees it. */
export interface ImageStep {
  readonly index: number;
  readonly number: number;
  /** Bit N: argument N is the slot of a register. */
  readonly mask: number;
  /** Slot of the result; undefined when nobody wants it. */
  readonly result: number | undefined;
  /** Steps to go forward on an error; 0 to fail, 1 to go on. */
  readonly onError: number;
  /** Steps to go forward on a result other than 0; 0 to go on. */
  readonly onNonZero: number;
  /** Errors that onError is for; empty for all. */
  readonly errnos: readonly number[];
  readonly origin: string;
  readonly args: readonly (number | bigint)[];
}

/** What is at an address. */
export interface Place {
  readonly address: number;
  readonly size: number;
  readonly note: string | undefined;
  /** Empty where the image has no bytes. */
  readonly bytes: Uint8Array;
}

/** An image, or what was saved of one. */
export class ImageReader {
  readonly arch: Arch;
  readonly note: ImageNote;
  private readonly view: DataView;
  private readonly memoryEnd: number;

  /** Throws Error when the bytes are no image that compile made. */
  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const machine = bytes.length > segmentOffset ? this.view.getUint16(18, true) : 0;
    const arch = (Object.keys(MACHINE) as Arch[]).find((name) => MACHINE[name] === machine);
    const at = arch ? this.header(3, 8) : 0;
    if (!arch || at >= bytes.length || this.text(at + 12) !== noteName)
      throw new Error("not the image of a program");
    this.arch = arch;
    const start = at + noteHeader;
    const json = bytes.subarray(start, start + this.view.getUint32(at + 4, true));
    this.note = JSON.parse(new TextDecoder().decode(json)) as ImageNote;
    this.memoryEnd = segmentAddress + this.header(1, 40);
  }

  /** Throws RangeError when there is no such step. */
  step(index: number): ImageStep {
    const { steps, origins, fault } = this.note;
    if (!(index >= 0 && index < steps)) throw new RangeError(`step ${index} of a program of ${steps}`);
    const replaced = fault?.[0] === index ? Uint8Array.from(fault[1]).buffer : undefined;
    const start = segmentOffset + (stepsAddress - segmentAddress) + stepSize * index;
    const view = replaced
      ? new DataView(replaced)
      : new DataView(this.bytes.buffer, this.bytes.byteOffset + start, stepSize);
    const result = view.getUint8(3);
    return {
      index,
      number: view.getUint16(0, true),
      mask: view.getUint8(2),
      result: result === discardRegister ? undefined : result,
      onError: view.getUint16(4, true),
      onNonZero: view.getUint16(6, true),
      errnos: Array.from({ length: errnoCount }, (_, i) => view.getUint8(8 + i)).filter(
        (errno) => errno !== 0,
      ),
      origin: origins[view.getUint16(14, true)] ?? "",
      args: Array.from({ length: 6 }, (_, i) => exact(view.getBigInt64(16 + 8 * i, true))),
    };
  }

  /** The register of a slot that a step reads, or that it writes. */
  registerName(slot: number, index: number, use: "read" | "written"): string {
    const { registers } = this.note;
    const { step, rename } = this.original(index);
    let name = `slot${slot}`;
    for (let i = 0; i < registers.length; i += 4) {
      const [at, first, last, its] = registers.slice(i, i + 4) as [number, number, number, string];
      if (at === slot && (use === "read" ? first < step : first <= step) && step <= last) name = its;
    }
    return rename(name);
  }

  /** The step that a step is once more, or itself, and what the names of registers there are here. */
  private original(step: number): { step: number; rename: (name: string) => string } {
    for (const { at, first, end, rename } of this.repeats())
      if (step >= at && step < at + end - first) return { step: step - at + first, rename };
    return { step, rename: (name) => name };
  }

  private *repeats() {
    // An older bunc may have made the image: it had none.
    const { repeats = [] } = this.note;
    for (let i = 0; i < repeats.length; i += 5) {
      const [at, first, end, text, other] = repeats.slice(i, i + 5) as [
        number,
        number,
        number,
        string,
        string,
      ];
      yield { at, first, end, rename: (name: string) => name.replace(text, () => other) };
    }
  }

  /** Names of the labels before a step. */
  labelsAt(position: number): string[] {
    const { labels } = this.note;
    const at = (place: number) =>
      labels.filter((_, index) => labels[index - 1] === place && index % 2 === 1) as string[];
    const names = at(position);
    // Those behind the last step belong to the steps, too; those before the first do not.
    for (const { at: begin, first, end, rename } of this.repeats())
      if (position > begin && position <= begin + end - first)
        names.push(...at(position - begin + first).map(rename));
    return names;
  }

  /** The register whose slot has this address; undefined for another address. */
  slotAt(address: number | bigint): number | undefined {
    const slot = (Number(address) - segmentAddress) / 8;
    return Number.isInteger(slot) && slot >= 0 && slot < registerCount ? slot : undefined;
  }

  /** Whether an address is in the writable segment. */
  isInside(address: number | bigint): boolean {
    return address >= segmentAddress && address < this.memoryEnd + pageSize;
  }

  /** What the program keeps at an address: a text has size 0 here. undefined when it keeps nothing there. */
  placeAt(value: number | bigint): Place | undefined {
    const address = Number(value);
    const { areas, blobs } = this.note;
    if (!(address >= areas.text && address < this.memoryEnd)) return undefined;
    for (let i = 0; i < blobs.length; i += 4) {
      const [area, offset, size, note] = blobs.slice(i, i + 4) as [Area, number, number, string | null];
      const start = areas[area] + offset;
      if (address < start || address >= start + Math.max(size, 1)) continue;
      const at = start - segmentAddress + segmentOffset;
      const bytes = this.bytes.subarray(at, area === "space" ? at : at + size);
      return { address: start, size, note: note ?? undefined, bytes };
    }
    return address < areas.data ? { address, size: 0, note: undefined, bytes: new Uint8Array(0) } : undefined;
  }

  /** The NUL-terminated text at an address of the segment. */
  textAt(address: number | bigint): string {
    return this.text(Number(address) - segmentAddress + segmentOffset);
  }

  private text(start: number): string {
    const end = this.bytes.indexOf(0, start);
    return new TextDecoder().decode(this.bytes.subarray(start, end < 0 ? undefined : end));
  }

  /** A field of a program header; elf.ts writes four. */
  private header(index: number, offset: number): number {
    return Number(this.view.getBigUint64(64 + 56 * index + offset, true));
  }
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
