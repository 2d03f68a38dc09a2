// A program as a static ELF executable: a fixed interpreter, and the steps with their strings as data. On create's hot path
// and run once, so interpreted: no callbacks, and of the standard library only what is native code in the engine.
import { type CallName, calls } from "../calls.ts";
import { writeWord } from "../structs/words.ts";
import type { Area, Data } from "./data.ts";
import { elfHeaders } from "./elf.ts";
import { machineCode } from "./interpreter/machine-code.ts" with { type: "macro" };
import {
  type Arch,
  alignUp,
  discardRegister,
  failOffset,
  headerSize,
  type ImageNote,
  MACHINE,
  numberColumn,
  PSEUDO,
  pageSize,
  registerCount,
  segmentAddress,
  segmentOffset,
  stepSize,
  stepsAddress,
} from "./layout.ts";
import { appendNote, composeNote } from "./note.ts";
import type { Program } from "./program.ts";
import {
  assignSlots,
  checkEnd,
  checkIgnored,
  checkReads,
  labelPosition,
  locate,
  type Slots,
  type Strictness,
} from "./resolve.ts";
import type { Label, PseudoName, Step } from "./step.ts";
import { argumentWord, stepWords } from "./step-words.ts";

/** Inside of functions, so that only the one that is wanted is read. */
const interpreters: Readonly<Record<Arch, () => readonly number[]>> = {
  x64: () => machineCode("x64"),
  arm64: () => machineCode("arm64"),
};

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

/** A program that can be executed. */
export interface Image {
  /** All that its process needs. */
  readonly executable: Uint8Array;
  /** The same, and what listings and explanations need: made when it is asked for. */
  complete(): Uint8Array;
}

/**
 * The image of a program. Throws what compile throws.
 * @param fault makes one step fail; from BUNC_FAULT by default
 */
export function compileImage(
  program: Program,
  arch: Arch = host,
  fault: StepFault | undefined = wantedFault,
): Image {
  checkEnd(program);
  checkReads(program);
  return new ImageWriter(program, arch, "complete").write(fault);
}

/**
 * The complete image of a program.
 * Throws when it could run past its end, needs more than 255 registers at a time, reads one that no step before writes, or
 * jumps to a label that was never placed.
 * @param fault makes one step fail; from BUNC_FAULT by default
 */
export function compile(
  program: Program,
  arch: Arch = host,
  fault: StepFault | undefined = wantedFault,
): Uint8Array {
  return compileImage(program, arch, fault).complete();
}

/** The image of a part of a program, for listings only. */
export function draft(program: Program): Uint8Array {
  return new ImageWriter(program, host, "draft").write(undefined).complete();
}

const pseudoNumbers: Readonly<Record<PseudoName, number>> = {
  set: PSEUDO.SET,
  jump: PSEUDO.SET,
  store: PSEUDO.STORE,
  expect: PSEUDO.EXPECT,
  fail: PSEUDO.EXPECT,
};

function pageOf(address: number): number {
  return address - (address % pageSize);
}

/** Where the steps are in the image, in 32-bit words. */
const firstStep = (segmentOffset + 8 * registerCount) / 4;

/** Where the image has the bytes of an address. */
function imageOffset(address: number): number {
  return address - segmentAddress + segmentOffset;
}

class ImageWriter implements Image {
  /** By Register.index. */
  private readonly slots: Slots;
  private readonly areas: Record<Area, number>;
  readonly executable: Uint8Array;
  /** The same bytes; both machines are little-endian. */
  private readonly words: Uint32Array;
  private readonly codeSize: number;
  private fault: ImageNote["fault"];
  private whole: Uint8Array | undefined;

  constructor(
    private readonly program: Program,
    private readonly arch: Arch,
    private readonly strictness: Strictness,
  ) {
    const { steps, memory } = program;
    this.slots = assignSlots(program, strictness);
    const text = stepsAddress + stepSize * steps.length;
    const data = alignUp(text + memory.text.used, 8);
    this.areas = { text, data, space: alignUp(data + memory.data.used, 8) };
    this.executable = new Uint8Array(imageOffset(this.areas.space));
    this.words = new Uint32Array(this.executable.buffer);
    const code = interpreters[arch]();
    this.executable.set(code, headerSize);
    this.codeSize = code.length;
    this.fault = undefined;
    this.whole = undefined;
  }

  write(fault: StepFault | undefined): this {
    const { executable, words, areas } = this;
    const { steps, registers, memory, code } = this.program;
    for (const { index, initial } of registers) {
      const slot = this.slots[index] ?? -1;
      if (initial !== undefined && slot >= 0) writeWord(words, segmentOffset / 4 + 2 * slot, initial);
    }
    words.set(code.words.subarray(0, stepWords * steps.length), firstStep);
    executable.set(memory.text.bytes.subarray(0, memory.text.used), imageOffset(areas.text));
    executable.set(memory.data.bytes.subarray(0, memory.data.used), imageOffset(areas.data));
    for (let index = 0; index < steps.length; index++) this.finishStep(index, steps[index] as Step);
    this.placeAddresses(code.addresses.text, areas.text);
    this.placeAddresses(code.addresses.data, areas.data);
    this.placeAddresses(code.addresses.space, areas.space);
    this.placeSlots();
    for (const { area, offset, value } of memory.links) {
      writeWord(words, imageOffset(areas[area] + offset) / 4, this.addressOf(value));
    }
    for (const { first, last } of this.program.waits) this.writeForget(first, last);
    if (fault && fault.number < steps.length) this.plantFault(fault);
    this.writeHeaders(words, 0);
    return this;
  }

  private addressOf({ area, offset }: Data): number {
    return this.areas[area] + offset;
  }

  /** What recording could not know: the number on this machine, the result's slot, how far to jump. */
  private finishStep(index: number, step: Step): void {
    const { words } = this;
    const { result, errorPath, nonZeroPath, errnos } = step;
    const at = firstStep + stepWords * index;
    if (step.index !== index) {
      this.copyStep(at, firstStep + stepWords * step.index);
      return;
    }
    const slot = result ? (this.slots[result.index] ?? -1) : -1;
    words[at] = (words[at] ?? 0) | this.number(step) | ((slot < 0 ? discardRegister : slot) << 24);
    if (errorPath === "ignore" && result) checkIgnored(this.program, step, result);
    if (errorPath !== "fail" || nonZeroPath) {
      const onError = errorPath === "ignore" ? 1 : errorPath === "fail" ? 0 : this.distance(step, errorPath);
      words[at + 1] = onError | (nonZeroPath ? this.distance(step, nonZeroPath) << 16 : 0);
    }
    for (let i = 0; i < errnos.length; i++) this.executable[4 * at + 8 + i] = errnos[i] ?? 0;
  }

  /** What a step that is another one once more has in common with that: all before its origin and its arguments. */
  private copyStep(at: number, from: number): void {
    const { words } = this;
    words[at] = words[from] as number;
    words[at + 1] = words[from + 1] as number;
    words[at + 2] = words[from + 2] as number;
    words[at + 3] = ((words[at + 3] as number) & 0xffff_0000) | ((words[from + 3] as number) & 0xffff);
  }

  private number({ name }: Step): number {
    const row = calls[name as CallName];
    return row === undefined ? pseudoNumbers[name as PseudoName] : row[numberColumn[this.arch]];
  }

  private distance(step: Step, label: Label): number {
    const distance = labelPosition(this.program, label, this.strictness) - step.index;
    if (distance > 0xffff)
      throw new RangeError(`${locate(this.program, step)}: jumps over more than 65535 steps`);
    return distance;
  }

  private placeAddresses(places: readonly number[], base: number): void {
    const { words } = this;
    for (const place of places) words[firstStep + place] = (words[firstStep + place] ?? 0) + base;
  }

  private placeSlots(): void {
    const { words, slots } = this;
    const { slotWords, slotRegisters } = this.program.code;
    for (let i = 0; i < slotWords.length; i++) {
      const place = firstStep + (slotWords[i] ?? 0);
      const slot = slots[slotRegisters[i]?.index ?? 0] ?? 0;
      const within = (place - firstStep) % stepWords;
      const loaded = ((words[place - within] ?? 0) >>> (16 + (within - argumentWord) / 2)) & 1;
      words[place] = loaded ? slot : segmentAddress + 8 * slot;
    }
  }

  /** The ranges of the three madvise steps of Program.forget: all but the registers, data, and the steps in between. */
  private writeForget(first: number, last: number): void {
    const { data, space } = this.areas;
    const ranges = [
      segmentAddress + pageSize,
      stepsAddress + stepSize * first,
      stepsAddress + stepSize * (last + 1) + pageSize - 1,
      data,
      // Data may reach into the page in which space begins.
      space + pageSize - 1,
      space + this.program.memory.spaceSize + pageSize - 1,
    ];
    for (let i = 0; i < ranges.length; i += 2) {
      const start = pageOf(ranges[i] ?? 0);
      const end = pageOf(ranges[i + 1] ?? 0);
      const at = firstStep + stepWords * (first + i / 2) + argumentWord;
      this.words[at] = start;
      this.words[at + 2] = end > start ? end - start : 0;
    }
  }

  /** Makes a step fail, whatever it was; its paths on errors stay. Listings still say what it was. */
  private plantFault({ number, errno }: StepFault): void {
    const at = imageOffset(stepsAddress) + stepSize * number;
    const step = this.executable.subarray(at, at + stepSize);
    this.fault = [number, [...step]];
    const failing = new Uint32Array(stepWords);
    failing.set(this.words.subarray(at / 4, at / 4 + argumentWord));
    failing[0] = PSEUDO.EXPECT | ((failing[0] ?? 0) & 0xff000000);
    // An expectation that nothing fulfils, as Recorder.fail records it: that the sixth argument is 1.
    const own = stepsAddress + stepSize * number + failOffset;
    for (const [index, value] of [own, -1, 1, -errno].entries())
      writeWord(failing, argumentWord + 2 * index, value);
    step.set(new Uint8Array(failing.buffer));
  }

  private writeHeaders(to: Uint32Array, note: number): void {
    const segment = this.executable.length - segmentOffset;
    const space = this.program.memory.spaceSize;
    to.set(elfHeaders(MACHINE[this.arch], { code: this.codeSize, segment, space, note }));
  }

  complete(): Uint8Array {
    if (this.whole) return this.whole;
    const note = composeNote(this.program, this.slots, this.areas, this.strictness);
    const explained = this.fault ? { ...note, fault: this.fault } : note;
    this.whole = appendNote(this.executable, explained, (to, size) => this.writeHeaders(to, size));
    return this.whole;
  }
}
