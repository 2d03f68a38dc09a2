// Calls for later: records the system calls of a process that has no JavaScript engine in it. Everything here works in
// memory and knows nothing of machines; image.ts turns a program into an executable.
import { type ArgumentKinds, type CallName, calls, type Kind } from "../calls.ts";
import type { Value } from "../libc.ts";
import { Data, Memory } from "./data.ts";
import { failOffset, stepSize, stepsAddress } from "./layout.ts";
import { Label, type PseudoName, Register, Step } from "./step.ts";
import { type Passage, StepWords } from "./step-words.ts";

export { Data } from "./data.ts";
export { type ErrorPath, Label, type PseudoName, Register, Step } from "./step.ts";

/** What a recorded call takes for an argument of a kind: what an immediate call takes, or what is known only later. */
export type Later<K extends Kind> = Value<K> | Register | Step | Data;

/** Source: include/uapi/asm-generic/mman-common.h. */
const MADV_DONTNEED = 4;

type LaterValues<K> = K extends readonly [infer Head extends Kind, ...infer Rest]
  ? [argument: Later<Head>, ...LaterValues<Rest>]
  : [];

type AnyLater = string | Uint8Array | number | bigint | null | Register | Step | Data;

type LaterArguments<N extends CallName> = LaterValues<ArgumentKinds<N>>;

/** Every call of the table as a method that records it, with the kernel's name, order and meaning of arguments. */
export type RecordedCalls = { readonly [N in CallName]: (...args: LaterArguments<N>) => Step };

/** A program under way: what newProgram returns. */
export type Program = Recorder & RecordedCalls;

/** Where a step has its sixth argument. */
const ownAddress = (index: number): number => stepsAddress + stepSize * index + failOffset;

/** The part of a program that is not the call table. */
export class Recorder {
  readonly steps: Step[];
  readonly code: StepWords;
  readonly memory: Memory;
  readonly registers: Register[];
  readonly labels: Label[];
  /** What the steps' origin indexes mean; the first is none. */
  readonly origins: string[];
  /** Steps whose pages forget keeps, the first being its own. */
  readonly waits: { readonly first: number; readonly last: number }[];
  /** Steps that are others once more: where they begin, from where to where those are, their text, and the other one. */
  readonly repeats: (number | string)[];
  /** The descriptor that a failure is written to. */
  readonly report: Register;
  private origin: number;

  constructor(report: number) {
    this.steps = [];
    this.code = new StepWords();
    this.memory = new Memory();
    this.registers = [];
    this.labels = [];
    this.origins = [""];
    this.waits = [];
    this.repeats = [];
    this.origin = 0;
    this.report = this.register("report", report);
  }

  /** Names the config property, "mounts[3]", or the deed that asked for the steps that follow. */
  because(origin: string): void {
    const known = this.origins.lastIndexOf(origin);
    this.origin = known >= 0 ? known : this.origins.push(origin) - 1;
    if (this.origin > 0xffff) throw new RangeError("a program can name 65535 origins");
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

  /**
   * Zeroed writable bytes, aligned to 8, that take no room in the image: where the kernel writes answers. A process that
   * has waited finds them zeroed again: see forget.
   */
  space(size: number, note?: string): Data {
    return this.memory.space(size, note);
  }

  /** A NUL-terminated text; the same text has the same address. Throws RangeError for a text with a NUL in it. */
  text(text: string): Data {
    return this.memory.intern(text);
  }

  /** A NULL-terminated array of pointers, as execve takes for argv and envp. */
  vector(entries: readonly (string | Data)[]): Data {
    return this.memory.vector(entries);
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
    if (source instanceof Data) return this.record("expect", [source, mask, value, -errno]);
    const register = source instanceof Step ? this.resultOf(source) : source;
    const step = this.record("expect", [0, mask, value, -errno]);
    this.code.registerAddress(step.index, 0, register);
    return step;
  }

  /** Step without a call: fails with this error number. */
  fail(errno: number): Step {
    // An expectation that nothing fulfils: that the step's own sixth argument, 0, is 1.
    return this.record("fail", [ownAddress(this.steps.length), -1, 1, -errno]);
  }

  /** Step without a call: the program goes on at the label. */
  jump(label: Label): Step {
    return this.record("jump", [1]).ifNonZero(label);
  }

  /**
   * Gives back the memory of past and later steps, of texts and constants, and of space, but for the pages of the next
   * `steps` steps: recorded before the process waits for long. What is needed later comes back from the image by itself;
   * what the kernel has written into space does not. Three steps, madvise(2); a kernel with larger pages refuses and keeps
   * everything.
   */
  forget(steps: number): void {
    const first = this.record("madvise", [0, 0, MADV_DONTNEED]).ignore().index;
    this.record("madvise", [0, 0, MADV_DONTNEED]).ignore();
    this.record("madvise", [0, 0, MADV_DONTNEED]).ignore();
    this.waits.push({ first, last: first + 2 + steps });
  }

  /**
   * Records the same steps for each of some texts: for the first of them, and copies those for the others.
   * @param origin the property that has the texts
   * @param record records them for one text; it is called once. The text is an argument of calls and part of names, nothing
   *   else. Throws when it links data, waits, or jumps elsewhere, for that would not be the same in a copy.
   */
  each(texts: readonly string[], origin: string, record: (text: string) => void): void {
    let passage: Passage | undefined;
    for (let index = 0; index < texts.length; index++) {
      const text = texts[index] ?? "";
      this.because(`${origin}[${index}]`);
      if (passage) this.repeat(passage, text, texts[0] ?? "");
      else passage = this.recordPassage(text, record);
    }
  }

  private recordPassage(text: string, record: (text: string) => void): Passage {
    const { steps, code, memory, waits } = this;
    const [first, from, links, waited] = [steps.length, code.mark(), memory.links.length, waits.length];
    record(text);
    const end = steps.length;
    const stays = (path: unknown) =>
      !(path instanceof Label) || (path.position > first && path.position <= end);
    let same = memory.links.length === links && waits.length === waited;
    for (let index = first; index < end; index++)
      same &&= stays(steps[index]?.errorPath) && stays(steps[index]?.nonZeroPath);
    if (!same)
      throw new Error("each: steps that link, wait or jump elsewhere are not the same for another text");
    return { first, end, text: memory.intern(text), from, until: code.mark() };
  }

  private repeat(passage: Passage, text: string, own: string): void {
    const { steps } = this;
    const { first, end } = passage;
    this.repeats.push(steps.length, first, end, own, text);
    this.code.repeat(passage, steps.length, this.origin, this.memory.intern(text));
    for (let index = first; index < end; index++) {
      const step = steps[index] as Step;
      if (step.result) step.result.last = steps.length;
      if (step.name === "fail") this.code.integer(steps.length, 0, ownAddress(steps.length));
      steps.push(step);
    }
  }

  /** Appends a step. Called by the methods of the call table. */
  record(name: CallName | PseudoName, args: readonly AnyLater[]): Step {
    const { steps, code } = this;
    const index = steps.length;
    const step = new Step(index, name);
    const at = code.begin(index, this.origin);
    const { words } = code;
    for (let i = 0; i < args.length; i++) {
      const argument = args[i] as AnyLater;
      // Nearly all: numbers of 32 bits without a sign. The rest of this is called 500 times for a container.
      if (typeof argument === "number" && argument >>> 0 === argument) words[at + 2 * i] = argument;
      else this.encode(index, i, argument);
    }
    steps.push(step);
    return step;
  }

  private encode(step: number, index: number, argument: AnyLater): void {
    const { code, memory } = this;
    if (typeof argument === "number" || typeof argument === "bigint") code.integer(step, index, argument);
    else if (typeof argument === "string") code.address(step, index, memory.intern(argument));
    else if (argument instanceof Step) code.register(step, index, this.resultOf(argument));
    else if (argument instanceof Register) code.register(step, index, argument);
    else if (argument instanceof Data) code.address(step, index, argument);
    else if (argument !== null) code.address(step, index, memory.constant(argument));
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
