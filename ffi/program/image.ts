// A program as a static ELF executable: a fixed interpreter, and the steps with their strings as data.
import { type CallName, type CallRow, calls } from "../calls.ts";
import { type Area, Data } from "./data.ts";
import { writeElfHeaders } from "./elf.ts";
import { arm64 } from "./interpreter/arm64.ts";
import { x64 } from "./interpreter/x64.ts";
import {
  type Arch,
  discardRegister,
  headerSize,
  type ImageNote,
  MACHINE,
  noteName,
  noteType,
  numberColumn,
  PSEUDO,
  segmentAddress,
  segmentOffset,
  stepSize,
  stepsAddress,
} from "./layout.ts";
import { type Operand, type Program, Register, type Step } from "./program.ts";
import { assignSlots, checkEnd, labelPosition, locate, type Slots, type Strictness } from "./resolve.ts";

/** A step to fail on purpose, as BUNC_FAULT names it. */
export interface StepFault {
  readonly number: number;
  readonly errno: number;
}

const host: Arch = process.arch === "arm64" ? "arm64" : "x64";

// BUNC_FAULT: see ffi/trace.ts. Loaded only then.
const wantedFault: StepFault | undefined = process.env.BUNC_FAULT
  ? (require("../trace.ts") as typeof import("../trace.ts")).stepFault()
  : undefined;

/**
 * The executable of a program.
 * Throws when it could run past its end, needs more than 255 registers at a time, jumps to a label that was never placed,
 * or has an argument that is no integer of 64 bits (for a number: no safe one).
 * @param fault makes one step fail; from BUNC_FAULT by default
 */
export function compile(
  program: Program,
  arch: Arch = host,
  fault: StepFault | undefined = wantedFault,
): Uint8Array {
  checkEnd(program);
  return new ImageWriter(program, arch, "complete").write(fault);
}

/** The image of a part of a program, for listings only. */
export function draft(program: Program): Uint8Array {
  return new ImageWriter(program, host, "draft").write(undefined);
}

/** The bytes of an interpreter. */
export function interpreterBytes(arch: Arch): Uint8Array {
  if (arch === "x64") return Uint8Array.from(x64.flatMap((row) => (typeof row === "string" ? [] : row[0])));
  const words = Uint32Array.from(arm64.flatMap((row) => (typeof row === "string" ? [] : [row[0]])));
  return new Uint8Array(words.buffer);
}

const encoder = new TextEncoder();
const align = (value: number, to: number) => Math.ceil(value / to) * to;

class ImageWriter {
  private readonly slots: Slots;
  private readonly base: Record<Area, number>;
  private readonly segmentSize: number;
  private readonly code: Uint8Array;
  private bytes = new Uint8Array(0);
  /** The same bytes; both machines are little-endian. */
  private words = new Uint32Array(0);

  constructor(
    private readonly program: Program,
    private readonly arch: Arch,
    private readonly strictness: Strictness,
  ) {
    const { steps, memory } = program;
    this.code = interpreterBytes(arch);
    this.slots = assignSlots(program, strictness);
    const text = stepsAddress + stepSize * steps.length;
    const data = align(text + memory.areas.text.used, 8);
    this.segmentSize = align(data + memory.areas.data.used, 8) - segmentAddress;
    this.base = { text, data, space: segmentAddress + this.segmentSize };
  }

  write(fault: StepFault | undefined): Uint8Array {
    const { steps, registers, memory } = this.program;
    const noteOffset = segmentOffset + this.segmentSize;
    const note = this.note();
    // Of ASCII mostly, but nobody promises that; a step's bytes before a fault are some 500 characters more.
    this.bytes = new Uint8Array(align(noteOffset + 24 + note.length * 3 + 1024, 4));
    this.words = new Uint32Array(this.bytes.buffer);
    for (const { index, initial } of registers) {
      const slot = this.slots.ofRegister[index] ?? -1;
      if (initial !== undefined && slot >= 0) this.writeWord(segmentOffset + 8 * slot, initial, undefined);
    }
    for (const step of steps) this.writeStep(step);
    this.bytes.set(memory.areas.text.bytes.subarray(0, memory.areas.text.used), this.offset(this.base.text));
    this.bytes.set(memory.areas.data.bytes.subarray(0, memory.areas.data.used), this.offset(this.base.data));
    for (const { target, value } of memory.links) {
      this.writeWord(this.offset(this.addressOf(target)), this.addressOf(value), undefined);
    }
    const before = fault && fault.number < steps.length ? this.plantFault(fault) : undefined;
    const noteSize = this.writeNote(
      noteOffset,
      before ? JSON.stringify({ ...JSON.parse(note), fault: before }) : note,
    );
    writeElfHeaders(this.words, MACHINE[this.arch], {
      code: this.code.length,
      segment: this.segmentSize,
      space: memory.spaceSize,
      note: noteSize,
    });
    this.bytes.set(this.code, headerSize);
    return this.bytes.subarray(0, noteOffset + noteSize);
  }

  private offset(address: number): number {
    return address - segmentAddress + segmentOffset;
  }

  private addressOf({ area, offset }: Data): number {
    return this.base[area] + offset;
  }

  private note(): string {
    const { steps, origins, labels, memory } = this.program;
    const note: ImageNote = {
      steps: steps.length,
      origins,
      registers: this.slots.names,
      labels: labels.map((label) => [labelPosition(this.program, label, this.strictness), label.name]),
      blobs: memory.blobs.map(({ data, note }) =>
        note === undefined ? [this.addressOf(data), data.size] : [this.addressOf(data), data.size, note],
      ),
      textEnd: this.base.data,
    };
    return JSON.stringify(note);
  }

  private writeStep(step: Step): void {
    const at = this.stepOffset(step.index);
    const word = at / 4;
    const [number, operands] = this.encode(step);
    let mask = 0;
    for (let i = 0; i < operands.length; i++) {
      const operand = operands[i] as Operand;
      if (operand instanceof Register) mask |= 1 << i;
      this.writeWord(at + 16 + 8 * i, this.value(operand), step);
    }
    const { errnos, origin } = step;
    const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0, sixth = 0] = errnos;
    if (origin > 0xffff) throw new RangeError("a program can name 65535 origins");
    const result = this.slots.ofResult[step.index] ?? discardRegister;
    this.words[word] = number | (mask << 16) | (result << 24);
    this.words[word + 1] =
      this.distance(step, step.errorPath) | (this.distance(step, step.nonZeroPath) << 16);
    this.words[word + 2] = first | (second << 8) | (third << 16) | (fourth << 24);
    this.words[word + 3] = fifth | (sixth << 8) | (origin << 16);
  }

  /** Number and arguments as the interpreter takes them. */
  private encode(step: Step): [number: number, operands: readonly Operand[]] {
    const { name, operands } = step;
    switch (name) {
      case "set":
      case "jump":
        return [PSEUDO.SET, operands];
      case "store":
        return [PSEUDO.STORE, operands];
      case "expect":
        return [PSEUDO.EXPECT, [this.place(operands[0] as Operand), ...operands.slice(1)]];
      case "fail":
        return [PSEUDO.EXPECT, this.failure(step.index, operands[0] as Operand)];
      default:
        return [(calls[name as CallName] as CallRow)[numberColumn[this.arch]], operands];
    }
  }

  /** An expectation that nothing fulfils: that the step's own sixth argument, 0, is 1. */
  private failure(step: number, negated: Operand): Operand[] {
    return [stepsAddress + stepSize * step + 16 + 8 * 5, -1, 1, negated];
  }

  /** Where an expectation finds its value: a register has an address as well. */
  private place(operand: Operand): Operand {
    return operand instanceof Register
      ? segmentAddress + 8 * (this.slots.ofRegister[operand.index] ?? 0)
      : operand;
  }

  private value(operand: Operand): number | bigint {
    if (operand instanceof Register) return this.slots.ofRegister[operand.index] ?? 0;
    return operand instanceof Data ? this.addressOf(operand) : operand;
  }

  private distance(step: Step, path: Step["errorPath"] | undefined): number {
    if (path === undefined || path === "fail") return 0;
    if (path === "ignore") return 1;
    const distance = labelPosition(this.program, path, this.strictness) - step.index;
    if (distance > 0xffff)
      throw new RangeError(`${locate(this.program, step)}: jumps over more than 65535 steps`);
    return distance;
  }

  private stepOffset(index: number): number {
    return this.offset(stepsAddress) + stepSize * index;
  }

  /** Writes 64 bits; `step` is whose argument it is, if any. */
  private writeWord(at: number, value: number | bigint, step: Step | undefined): void {
    const index = at / 4;
    if (Number.isSafeInteger(value)) {
      // The low word of a number is its remainder, and the high word the floor, also below zero: two's complement.
      this.words[index] = value as number;
      this.words[index + 1] = Math.floor((value as number) / 0x1_0000_0000);
      return;
    }
    if (typeof value !== "bigint" || value < -(2n ** 63n) || value >= 2n ** 64n) {
      throw new RangeError(
        `${step ? locate(this.program, step) : "a register"}: ${value} is no integer of 64 bits`,
      );
    }
    this.words[index] = Number(value & 0xffff_ffffn);
    this.words[index + 1] = Number((value >> 32n) & 0xffff_ffffn);
  }

  /** Makes a step fail, whatever it was; its paths on errors stay. Returns what it was, for listings. */
  private plantFault({ number, errno }: StepFault): ImageNote["fault"] {
    const at = this.stepOffset(number);
    const before = [...this.bytes.subarray(at, at + stepSize)];
    this.bytes[at] = PSEUDO.EXPECT & 0xff;
    this.bytes[at + 1] = PSEUDO.EXPECT >> 8;
    this.bytes[at + 2] = 0;
    this.bytes.fill(0, at + 16, at + stepSize);
    this.failure(number, -errno).forEach((operand, index) => {
      this.writeWord(at + 16 + 8 * index, this.value(operand), undefined);
    });
    return [number, before];
  }

  private writeNote(at: number, note: string): number {
    const { written } = encoder.encodeInto(note, this.bytes.subarray(at + 20));
    this.words.set([noteName.length + 1, written, noteType], at / 4);
    encoder.encodeInto(noteName, this.bytes.subarray(at + 12));
    return 20 + align(written, 4);
  }
}
