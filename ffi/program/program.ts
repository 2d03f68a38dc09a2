// Calls for later: records the system calls of a process that has no JavaScript engine in it. Everything here works in
// memory and knows nothing of machines; image.ts turns a program into an executable.
import { type ArgumentKinds, type CallName, calls, type Kind } from "../calls.ts";
import type { Value } from "../libc.ts";
import { type Area, Data, Memory } from "./data.ts";
import { errnoCount } from "./layout.ts";

export { Data } from "./data.ts";

/** An 8-byte slot that lives as long as the program. Without an initial value it must be written before it is read. */
export class Register {
  /** The last step that mentions it; image.ts gives the slot to another register after that. */
  last = -1;

  constructor(
    readonly index: number,
    /** Empty for the register of a step whose result is used directly. */
    readonly name: string,
    readonly initial: number | bigint | undefined,
  ) {}
}

/** A place ahead in the program. Placed exactly once, after every jump to it. */
export class Label {
  /** Index of the step that follows the place; -1 until it is placed. */
  position = -1;

  constructor(readonly name: string) {}
}

/** What a recorded call takes for an argument of a kind: what an immediate call takes, or what is known only later. */
export type Later<K extends Kind> = Value<K> | Register | Step | Data;

/** An argument as it is kept: strings and bytes have become Data, steps have become registers. */
export type Operand = number | bigint | Register | Data;

/** What a step does when its call fails: ends the program, goes on, or jumps. */
export type ErrorPath = "fail" | "ignore" | Label;

/** Steps that are no system call: registers, memory and comparisons. */
export type PseudoName = "set" | "store" | "expect" | "fail" | "jump";

/** Handle of a recorded step. As an argument of a later step it stands for its result. */
export class Step {
  result: Register | undefined;
  errorPath: ErrorPath = "fail";
  errnos: readonly number[] = [];
  nonZeroPath: Label | undefined;

  constructor(
    readonly index: number,
    readonly name: CallName | PseudoName,
    readonly operands: readonly Operand[],
    /** Index into the program's origins. */
    readonly origin: number,
  ) {}

  /** The result goes to this register. It is not written when the call fails. */
  into(register: Register): this {
    if (this.result) throw new Error(`step ${this.index} (${this.name}): its result has a register already`);
    this.result = register;
    register.last = Math.max(register.last, this.index);
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
    if (this.errorPath !== "fail")
      throw new Error(`step ${this.index} (${this.name}): its errors have a path already`);
    if (errnos.length > errnoCount || errnos.some((errno) => !(errno > 0 && errno < 256))) {
      throw new RangeError(
        `step ${this.index} (${this.name}): at most 6 error numbers from 1 to 255, not ${errnos}`,
      );
    }
    this.errorPath = path;
    this.errnos = errnos;
    return this;
  }
}

function mustBeAhead(label: Label): void {
  if (label.position >= 0) throw new Error(`label ${label.name} is placed already: jumps only go forward`);
}

type LaterValues<K> = K extends readonly [infer Head extends Kind, ...infer Rest]
  ? [argument: Later<Head>, ...LaterValues<Rest>]
  : [];

type AnyLater = string | Uint8Array | number | bigint | null | Register | Step | Data;

type LaterArguments<N extends CallName> = LaterValues<ArgumentKinds<N>>;

/** Every call of the table as a method that records it, with the kernel's name, order and meaning of arguments. */
export type RecordedCalls = { readonly [N in CallName]: (...args: LaterArguments<N>) => Step };

/** A program under way: what newProgram returns. */
export type Program = Recorder & RecordedCalls;

/** The part of a program that is not the call table. */
export class Recorder {
  readonly steps: Step[] = [];
  readonly registers: Register[] = [];
  readonly labels: Label[] = [];
  readonly origins: string[] = [""];
  readonly memory = new Memory();
  /** The descriptor that a failure is written to. */
  readonly report: Register;
  private origin = 0;

  constructor(report: number) {
    this.report = this.register("report", report);
  }

  /** Names the config property, "mounts[3]", or the deed that asked for the steps that follow. */
  because(origin: string): void {
    const known = this.origins.lastIndexOf(origin);
    this.origin = known >= 0 ? known : this.origins.push(origin) - 1;
  }

  /** A named register. With an initial value it holds that from the start; without, write it before reading it. */
  register(name: string, initial?: number | bigint): Register {
    const register = new Register(this.registers.length, name, initial);
    this.registers.push(register);
    return register;
  }

  /** A place to jump to. The name is for listings. */
  label(name: string): Label {
    const label = new Label(name);
    this.labels.push(label);
    return label;
  }

  /** Puts the label before the next step. */
  place(label: Label): void {
    if (label.position >= 0) throw new Error(`label ${label.name} is placed twice`);
    label.position = this.steps.length;
  }

  /** A copy of the bytes, aligned to 8, that the program may write to. The note stands for them in listings. */
  data(bytes: Uint8Array, note?: string): Data {
    return this.memory.bytes("data", bytes, note);
  }

  /** A copy of bytes that nobody writes to, aligned to 8. A waiting process can do without them: see forget. */
  constant(bytes: Uint8Array, note?: string): Data {
    return this.memory.bytes("text", bytes, note);
  }

  /** Zeroed writable bytes, aligned to 8, that take no room in the image: where the kernel writes answers. */
  space(size: number, note?: string): Data {
    return this.memory.space(size, note);
  }

  /** A NUL-terminated text; the same text has the same address. Throws RangeError for a text with a NUL in it. */
  text(text: string): Data {
    return this.memory.text(text);
  }

  /** A NULL-terminated array of pointers, as execve takes for argv and envp. */
  vector(entries: readonly (string | Data)[]): Data {
    const vector = this.memory.bytes("text", new Uint8Array(8 * (entries.length + 1)), undefined);
    entries.forEach((entry, index) => {
      this.link(vector.at(8 * index), typeof entry === "string" ? this.text(entry) : entry);
    });
    return vector;
  }

  /** Makes the 8 bytes at `target` the address of `value`: for structs with pointers (iovec, msghdr, sock_fprog). */
  link(target: Data, value: Data): void {
    this.memory.link(target, value);
  }

  /** Step without a call: its result is the value. */
  set(value: Later<"any">): Step {
    return this.record("set", [value]);
  }

  /** Step without a call: writes the value into memory, for structs that hold a descriptor or a pid. */
  store(target: Data, value: number | bigint | Register | Step | Data, width: 4 | 8): Step {
    if (target.area === "text") throw new Error("store: the target must be data or space, not a constant");
    if (target.size < width) throw new RangeError(`store: ${width} bytes do not fit into ${target.size}`);
    return this.record("store", [target, value, width === 4 ? 0xffff_ffff : -1]);
  }

  /**
   * Step without a call: fails with `errno` unless the 64 bits at `source` (or in the register) equal `value` where
   * `mask` has ones.
   */
  expect(
    source: Data | Register | Step,
    mask: number | bigint,
    value: number | bigint | Register | Step,
    errno: number,
  ): Step {
    return this.record("expect", [source, mask, value, -errno]);
  }

  /** Step without a call: fails with this error number. */
  fail(errno: number): Step {
    return this.record("fail", [-errno]);
  }

  /** Step without a call: the program goes on at the label. */
  jump(label: Label): Step {
    return this.record("jump", [1]).ifNonZero(label);
  }

  /** Appends a step. Called by the methods of the call table. */
  record(name: CallName | PseudoName, args: readonly AnyLater[]): Step {
    const index = this.steps.length;
    const operands: Operand[] = [];
    for (const argument of args) {
      const operand = this.operand(argument);
      if (operand instanceof Register) operand.last = index;
      operands.push(operand);
    }
    const step = new Step(index, name, operands, this.origin);
    this.steps.push(step);
    return step;
  }

  private operand(argument: AnyLater): Operand {
    if (typeof argument === "number" || typeof argument === "bigint") return argument;
    if (typeof argument === "string") return this.memory.text(argument);
    if (argument === null) return 0;
    if (argument instanceof Step) return this.resultOf(argument);
    if (argument instanceof Register || argument instanceof Data) return argument;
    return this.memory.bytes("text", argument, undefined);
  }

  private resultOf(step: Step): Register {
    if (this.steps[step.index] !== step) throw new Error(`the step ${step.name} belongs to another program`);
    // A call that may fail and go on leaves its register as it was: that must be 0, not another step's result.
    if (!step.result) step.into(this.register("", step.errorPath === "fail" ? undefined : 0));
    return step.result as Register;
  }
}

// A prototype, so that a new program costs nothing per row of the table.
const methods = Recorder.prototype as unknown as Record<string, (...args: AnyLater[]) => Step>;
for (const name in calls) {
  methods[name] = function (this: Recorder, ...args: AnyLater[]): Step {
    return this.record(name as CallName, args);
  };
}

/**
 * Starts a program.
 * @param options.report the descriptor that a failure is written to as {u32 step, u32 errno}; none by default
 */
export function newProgram(options: { report?: number } = {}): Program {
  return new Recorder(options.report ?? -1) as Program;
}

export type { Area };
