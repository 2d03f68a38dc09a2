// What a program is made of besides its memory: steps, registers and labels.
import type { CallName } from "../calls.ts";
import { errnoCount } from "./layout.ts";

// Fields are assigned in constructors: as class fields each of these classes would run a second function for every object.

/** An 8-byte slot that lives as long as the program. Without an initial value it must be written before it is read. */
export class Register {
  /** The first step that writes it; -1 while there is none. */
  first: number;
  /** The last step that mentions it; its slot may be another register's after that. */
  last: number;
  /** A step that reads it before any writes it; -1 while there is none. */
  unset: number;

  constructor(
    readonly index: number,
    /** Empty for the register of a step whose result is used directly. */
    readonly name: string,
    readonly initial: number | bigint | undefined,
  ) {
    this.first = -1;
    this.last = -1;
    this.unset = -1;
  }
}

/** A place ahead in the program. Placed exactly once, after every jump to it. */
export class Label {
  /** Index of the step that follows the place; -1 until it is placed. */
  position: number;

  constructor(readonly name: string) {
    this.position = -1;
  }
}

/** What a step does when its call fails: ends the program, goes on, or jumps. */
export type ErrorPath = "fail" | "ignore" | Label;

/** Steps that are no system call: registers, memory and comparisons. */
export type PseudoName = "set" | "store" | "expect" | "fail" | "jump";

const noErrnos: readonly number[] = [];

/** Handle of a recorded step. As an argument of a later step it stands for its result. */
export class Step {
  result: Register | undefined;
  errorPath: ErrorPath;
  errnos: readonly number[];
  nonZeroPath: Label | undefined;

  constructor(
    readonly index: number,
    readonly name: CallName | PseudoName,
  ) {
    this.result = undefined;
    this.errorPath = "fail";
    this.errnos = noErrnos;
    this.nonZeroPath = undefined;
  }

  /** The result goes to this register. It is not written when the call fails. */
  into(register: Register): this {
    if (this.result) throw new Error(`step ${this.index} (${this.name}): its result has a register already`);
    this.result = register;
    if (register.last < this.index) register.last = this.index;
    if (register.first < 0) register.first = this.index;
    return this;
  }

  /** These errors count as success, any error when none is given; the result register is not written then. */
  ignore(...errnos: number[]): this {
    return this.onError("ignore", errnos);
  }

  /** On these errors, any when none is given, the program goes on at the label. */
  orJump(label: Label, ...errnos: number[]): this {
    mustBeAhead(label);
    return this.onError(label, errnos);
  }

  /** When the call succeeds with a result other than 0, the program goes on at the label. */
  ifNonZero(label: Label): this {
    mustBeAhead(label);
    this.nonZeroPath = label;
    return this;
  }

  private onError(path: ErrorPath, errnos: readonly number[]): this {
    if (this.errorPath !== "fail") {
      throw new Error(`step ${this.index} (${this.name}): its errors have a path already`);
    }
    for (const errno of errnos) {
      if (errnos.length > errnoCount || !(errno > 0 && errno < 256)) {
        throw new RangeError(
          `step ${this.index} (${this.name}): at most 6 error numbers from 1 to 255, not ${errnos}`,
        );
      }
    }
    this.errorPath = path;
    this.errnos = errnos;
    return this;
  }
}

function mustBeAhead(label: Label): void {
  if (label.position >= 0) throw new Error(`label ${label.name} is placed already: jumps only go forward`);
}
