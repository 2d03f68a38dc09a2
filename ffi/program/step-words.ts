// Steps in the form that the interpreter takes, written while they are recorded: turning a program into an image then
// hardly looks at its arguments again.

import { writeWord } from "../structs/words.ts";
import type { Area, Data } from "./data.ts";
import { stepSize } from "./layout.ts";
import type { Register } from "./step.ts";

/** 32-bit words of a step. */
export const stepWords = stepSize / 4;

/** Words before the arguments, which take two each. */
export const argumentWord = 4;

/** The steps of a program so far. */
export class StepWords {
  words: Uint32Array;
  /** Words that hold an offset from the start of an area, until its address is known. */
  readonly addresses: Readonly<Record<Area, number[]>>;
  /** Words that are to hold a register's slot, or its address, in the order of steps; and the registers. */
  readonly slotWords: number[];
  readonly slotRegisters: Register[];
  /** The first register that a step reads before one writes it. */
  unset: Register | undefined;

  constructor() {
    this.words = new Uint32Array(192 * stepWords);
    this.addresses = { text: [], data: [], space: [] };
    this.slotWords = [];
    this.slotRegisters = [];
    this.unset = undefined;
  }

  /** Begins a step; returns the place of its first argument. */
  begin(index: number, origin: number): number {
    const at = index * stepWords;
    if (at === this.words.length) {
      const grown = new Uint32Array(at * 2);
      grown.set(this.words);
      this.words = grown;
    }
    if (origin > 0) this.words[at + 3] = origin << 16;
    return at + argumentWord;
  }

  integer(step: number, argument: number, value: number | bigint): void {
    writeWord(this.words, step * stepWords + argumentWord + 2 * argument, value);
  }

  address(step: number, argument: number, { area, offset }: Data): void {
    const at = step * stepWords + argumentWord + 2 * argument;
    this.words[at] = offset;
    this.addresses[area].push(at);
  }

  /** The argument is what the register holds when the step is made. */
  register(step: number, argument: number, register: Register): void {
    const at = step * stepWords;
    this.words[at] = (this.words[at] ?? 0) | (0x10000 << argument);
    this.registerAddress(step, argument, register);
  }

  /** The argument is the address of the register's slot. */
  registerAddress(step: number, argument: number, register: Register): void {
    this.slotWords.push(step * stepWords + argumentWord + 2 * argument);
    this.slotRegisters.push(register);
    register.last = step;
    if (register.first < 0 && register.initial === undefined && register.unset < 0) {
      register.unset = step;
      this.unset ??= register;
    }
  }
}
