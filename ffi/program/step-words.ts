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

/** How many places of each kind there are. */
interface Mark extends Readonly<Record<Area, number>> {
  readonly slots: number;
}

/** Steps that can be repeated, from `first` to before `end`, and the text that they are about. */
export interface Passage {
  readonly first: number;
  readonly end: number;
  readonly text: Data;
  readonly from: Mark;
  readonly until: Mark;
}

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
    // The usual container's.
    this.words = new Uint32Array(512 * stepWords);
    this.addresses = { text: [], data: [], space: [] };
    this.slotWords = [];
    this.slotRegisters = [];
    this.unset = undefined;
  }

  /** Makes room for steps up to before this one. */
  private ensure(end: number): void {
    if (end * stepWords <= this.words.length) return;
    const grown = new Uint32Array(Math.max(2 * this.words.length, end * stepWords));
    grown.set(this.words);
    this.words = grown;
  }

  /** Begins a step; returns the place of its first argument. */
  begin(index: number, origin: number): number {
    const at = index * stepWords;
    this.ensure(index + 1);
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

  /** How much is there, to tell later what has come since. */
  mark(): Mark {
    const { text, data, space } = this.addresses;
    return { text: text.length, data: data.length, space: space.length, slots: this.slotWords.length };
  }

  /**
   * Steps once more, with one text in place of another. Nothing but their arguments is known of them here.
   * @param from what mark told before the first of them
   * @param until and behind the last
   */
  repeat(
    { first, end, text, from, until }: Passage,
    index: number,
    origin: number,
    other: Pick<Data, "offset">,
  ): void {
    const last = index + end - first;
    this.ensure(last);
    const { words, addresses, slotWords, slotRegisters } = this;
    const distance = (index - first) * stepWords;
    words.copyWithin(index * stepWords, first * stepWords, end * stepWords);
    for (let at = index * stepWords; at < last * stepWords; at += stepWords) words[at + 3] = origin << 16;
    for (const area in addresses) {
      const places = addresses[area as Area];
      for (let i = from[area as Area]; i < until[area as Area]; i++) {
        const place = (places[i] ?? 0) + distance;
        places.push(place);
        if (area === text.area && words[place] === text.offset) words[place] = other.offset;
      }
    }
    for (let i = from.slots; i < until.slots; i++) {
      const register = slotRegisters[i] as Register;
      slotWords.push((slotWords[i] ?? 0) + distance);
      slotRegisters.push(register);
      register.last = last;
    }
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
