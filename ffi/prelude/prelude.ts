// A small language for what runs in the executable before the engine: `state` of a container takes the machine 0.1 ms, and
// the engine 3.5 ms to come to it. It is recorded as the program of a container is, by a method for each operation, and
// run by an interpreter of a few hundred bytes; unlike that program it has loops, and ends either in exit_group or by
// leaving the process to the engine, as if nothing had been there.
import type { CallName } from "../calls.ts";

/** An integer of 64 bits in the interpreter's memory, for as long as the block that made it. */
export class Variable {
  constructor(readonly index: number) {}
}

/** The address of a constant text, which ends with a NUL. */
export class Text {
  constructor(readonly offset: number) {}
}

/** A place in the program. */
export class Place {
  /** Index of an instruction; -1 until it is known. */
  position = -1;
}

/** What an operation takes for a value. A string is the address of a constant text. */
export type Value = Variable | number | string;

/** What the interpreter has a label for. */
export type Operation =
  | "set"
  | "address"
  | "memory"
  | "add_number"
  | "add"
  | "subtract"
  | "multiply"
  | "and"
  | "load8"
  | "load16"
  | "load32"
  | "load64"
  | "store8"
  | "store64"
  | "seek"
  | "copy"
  | "call"
  | "jump"
  | "jump_equal"
  | "jump_unequal"
  | "jump_less"
  | "go_aside"
  | "go_back"
  | "leave";

/** What an instruction holds beside registers. The number of a call is the processor's, addresses are the code's. */
export type Constant = number | Text | Place | CallName;

/** Two registers and a number; what the number of "leave" is, only the executable knows. */
export interface Instruction {
  readonly operation: Operation;
  readonly first: number;
  readonly second: number;
  readonly number: Constant;
}

export type Comparison = "==" | "!=" | "<" | ">=";

const opposites = { "==": "!=", "!=": "==", "<": ">=", ">=": "<" } as const;

/** Ways to a part of the program that is not come back from. */
export interface Exit {
  go(): void;
  goWhen(left: Value, is: Comparison, right: Value): void;
}

/** Registers, which the memory begins with: the stack pointer at the start, six arguments of calls, variables. */
const registerCount = 256;
const firstArgument = 1;
const argumentCount = 6;
const firstVariable = firstArgument + argumentCount;

/** Bytes of memory. The interpreters take them from the stack. */
const memorySize = 0x9000;

/** A program under way. */
export class Prelude {
  readonly instructions: Instruction[] = [];
  private readonly texts = new Map<string, Text>();
  private textBytes = 0;
  private next = firstVariable;
  /** The greatest that `next` was. */
  private highest = firstVariable;
  private memory = 8 * registerCount;

  /** Constant texts, in the order of their offsets. */
  constants(): readonly string[] {
    return [...this.texts.keys()];
  }

  /** Where the kernel has put the argument count, the arguments and the environment. System V ABI, "Initial Stack". */
  readonly stack = new Variable(0);

  /** Memory of this many bytes, for as long as the block: its address. What is in it at first is not known. */
  reserve(bytes: number): Variable {
    const at = this.memory;
    this.memory += (bytes + 7) & ~7;
    if (this.memory > memorySize) throw new RangeError(`the prelude has ${memorySize} bytes of memory`);
    const address = this.newVariable();
    this.emit("memory", address.index, 0, at);
    return address;
  }

  /** A variable with a value. */
  variable(value: Value): Variable {
    const variable = this.newVariable();
    this.assign(variable, value);
    return variable;
  }

  assign(variable: Variable, value: Value): void {
    if (typeof value === "number") this.emit("set", variable.index, 0, value);
    else if (value instanceof Variable) this.emit("add_number", variable.index, value.index, 0);
    else this.emit("address", variable.index, 0, this.text(value));
  }

  /** left + right */
  sum(left: Value, right: Value): Variable {
    const result = this.newVariable();
    if (typeof right === "number") this.emit("add_number", result.index, this.operand(left), right);
    else this.emit("add", result.index, this.operand(left), this.operand(right));
    return result;
  }

  /** variable += value */
  increase(variable: Variable, value: Value): void {
    if (typeof value === "number") this.emit("add_number", variable.index, variable.index, value);
    else this.scoped(() => this.emit("add", variable.index, variable.index, this.operand(value)));
  }

  /** left − right */
  difference(left: Value, right: Value): Variable {
    const result = this.newVariable();
    this.emit("subtract", result.index, this.operand(left), this.operand(right));
    return result;
  }

  /** variable = variable × factor */
  multiply(variable: Variable, factor: number): void {
    this.emit("multiply", variable.index, variable.index, factor);
  }

  /** The bits of a value that a mask has. */
  masked(value: Value, mask: number): Variable {
    const result = this.newVariable();
    this.emit("and", result.index, this.operand(value), mask);
    return result;
  }

  /** What is at an address, `bits` wide, without a sign. */
  load(bits: 8 | 16 | 32 | 64, address: Value, offset = 0): Variable {
    const result = this.newVariable();
    this.emit(`load${bits}`, result.index, this.operand(address), offset);
    return result;
  }

  store(bits: 8 | 64, address: Value, value: Value, offset = 0): void {
    this.scoped(() => this.emit(`store${bits}`, this.operand(value), this.operand(address), offset));
  }

  /** The address of the next byte of this value, or of the text's end. */
  seek(text: Value, byte: number): Variable {
    const result = this.newVariable();
    this.emit("seek", result.index, this.operand(text), byte);
    return result;
  }

  /** Copies a text with its end to an address; returns where that end is now. */
  append(to: Value, text: Value): Variable {
    const end = this.variable(to);
    this.scoped(() => this.emit("copy", end.index, this.operand(text), 0));
    return end;
  }

  /** Makes a system call; what the kernel returned, an error as its negated number. */
  call(name: CallName, ...args: Value[]): Variable {
    const result = this.newVariable();
    this.scoped(() => {
      // All six: those that a call does not take may be ones that a later kernel looks at.
      for (let index = 0; index < argumentCount; index++) {
        this.assign(new Variable(firstArgument + index), args[index] ?? 0);
      }
    });
    this.emit("call", result.index, firstArgument, name);
    return result;
  }

  when(left: Value, is: Comparison, right: Value, then: () => void, otherwise?: () => void): void {
    const [no, end] = [new Place(), new Place()];
    this.scoped(() => this.jumpWhen(left, opposites[is], right, no));
    this.scoped(then);
    if (otherwise) this.jump(end);
    this.place(no);
    if (otherwise) this.scoped(otherwise);
    this.place(end);
  }

  /** Does something again and again; `stop` goes on behind it, `again` at its beginning. */
  loop(body: (stop: () => void, again: () => void) => void): void {
    const [start, end] = [new Place(), new Place()];
    this.place(start);
    this.scoped(() =>
      body(
        () => this.jump(end),
        () => this.jump(start),
      ),
    );
    this.jump(start);
    this.place(end);
  }

  /**
   * A part of the program that others call, with its parameters; what it returns is its value. It keeps its variables, so
   * it cannot call itself.
   */
  routine<P extends readonly Variable[]>(
    count: P["length"],
    body: (...parameters: P) => Value,
  ): (...args: { [K in keyof P]: Value }) => Variable {
    const [start, end] = [new Place(), new Place()];
    this.jump(end);
    const parameters = Array.from({ length: count }, () => this.newVariable());
    const [back, result] = [this.newVariable(), this.newVariable()];
    this.place(start);
    this.assign(result, body(...(parameters as unknown as P)));
    this.emit("go_back", back.index, 0, 0);
    this.place(end);
    // Those of its blocks, too: whoever calls it has variables that are made later.
    this.next = this.highest;
    return (...args) => {
      const value = this.newVariable();
      this.scoped(() => {
        for (const [index, parameter] of parameters.entries()) this.assign(parameter, args[index] ?? 0);
      });
      this.emit("go_aside", back.index, 0, start);
      this.assign(value, result);
      return value;
    };
  }

  /** A part of the program that is gone to and not come back from: it must not go on. */
  exit(body: () => void): Exit {
    const [start, end] = [new Place(), new Place()];
    this.jump(end);
    this.place(start);
    this.scoped(body);
    this.place(end);
    return {
      go: () => this.jump(start),
      goWhen: (left, is, right) => this.scoped(() => this.jumpWhen(left, is, right, start)),
    };
  }

  /** Gives the process to the engine. */
  leave(): void {
    this.emit("leave", 0, 0, 0);
  }

  private jump(to: Place): void {
    this.emit("jump", 0, 0, to);
  }

  private jumpWhen(left: Value, is: Comparison, right: Value, to: Place): void {
    const [first, second] = [this.operand(left), this.operand(right)];
    if (is === "==") this.emit("jump_equal", first, second, to);
    else if (is === "!=") this.emit("jump_unequal", first, second, to);
    else if (is === "<") this.emit("jump_less", first, second, to);
    else {
      const no = new Place();
      this.emit("jump_less", first, second, no);
      this.jump(to);
      this.place(no);
    }
  }

  private place(place: Place): void {
    place.position = this.instructions.length;
  }

  /** The variables and the memory of a block are free for others afterwards. */
  private scoped(block: () => void): void {
    const { next, memory } = this;
    block();
    this.next = next;
    this.memory = memory;
  }

  private newVariable(): Variable {
    if (this.next === registerCount) throw new RangeError("the prelude needs too many variables at a time");
    const variable = new Variable(this.next++);
    this.highest = Math.max(this.highest, this.next);
    return variable;
  }

  /** The register that holds a value. */
  private operand(value: Value): number {
    return value instanceof Variable ? value.index : this.variable(value).index;
  }

  private text(value: string): Text {
    const known = this.texts.get(value);
    if (known) return known;
    const text = new Text(this.textBytes);
    this.textBytes += new TextEncoder().encode(value).length + 1;
    this.texts.set(value, text);
    return text;
  }

  private emit(operation: Operation, first: number, second: number, number: Constant): void {
    if (typeof number === "number" && (number | 0) !== number) {
      throw new RangeError(`the prelude's numbers have 32 bits: ${number}`);
    }
    this.instructions.push({ operation, first, second, number });
  }
}
