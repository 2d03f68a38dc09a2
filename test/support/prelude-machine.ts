/**
 * Runs a recorded prelude without a processor: every access to memory is checked, and a caller answers the system calls. The
 * pieces of memory that were reserved have others' memory between them, which nobody may touch.
 */
import type { CallName } from "../../ffi/calls.ts";
import { type Instruction, Place, Prelude, Text } from "../../ffi/prelude/prelude.ts";

/** Somewhere the program must not be. */
export class Fault extends Error {
  override readonly name = "Fault";
}

interface Piece {
  readonly start: number;
  readonly bytes: Uint8Array;
  readonly writable: boolean;
}

/** Bytes between two pieces. */
const gap = 64;

const textAddress = 0x1_0000;
const memoryAddress = 0x10_0000;
const stackAddress = 0x7000_0000;
const registerCount = 256;

/** What an instruction that is no call holds. */
type Address = Exclude<Instruction["number"], string>;

/** A prelude, and how much is reserved by which of its instructions. */
export interface Recorded {
  readonly prelude: Prelude;
  readonly sizes: ReadonlyMap<number, number>;
}

/** Records a prelude that leaves gaps in its memory. */
export function recordWithGaps(record: () => Prelude): Recorded {
  const { reserve } = Prelude.prototype;
  const sizes = new Map<number, number>();
  Prelude.prototype.reserve = function (bytes) {
    sizes.set(this.instructions.length, bytes);
    return reserve.call(this, bytes + gap);
  };
  try {
    return { prelude: record(), sizes };
  } finally {
    Prelude.prototype.reserve = reserve;
  }
}

/** The argument count, the arguments and the environment. System V ABI, "Initial Stack". */
function layStack(argv: readonly string[], env: readonly string[]): Uint8Array {
  const words = [...argv, ...env].map((word) => Buffer.from(`${word}\0`, "latin1"));
  const pointers = 8 * (words.length + 3);
  const stack = new Uint8Array(Buffer.concat([Buffer.alloc(pointers), ...words]));
  const view = new DataView(stack.buffer);
  view.setBigUint64(0, BigInt(argv.length), true);
  let at = stackAddress + pointers;
  for (const [index, word] of words.entries()) {
    view.setBigUint64(8 * (index < argv.length ? index + 1 : index + 2), BigInt(at), true);
    at += word.length;
  }
  return stack;
}

/** Answers a system call: the kernel's result. "exit_group" is not asked. */
export type Kernel = (name: CallName, args: readonly number[], machine: Machine) => number;

export class Machine {
  private readonly registers = new BigInt64Array(registerCount);
  private pieces: Piece[] = [];
  private position = 0;

  constructor(
    private readonly recorded: Recorded,
    private readonly kernel: Kernel,
    argv: readonly string[],
    env: readonly string[],
  ) {
    const texts = Buffer.from(
      recorded.prelude
        .constants()
        .map((text) => `${text}\0`)
        .join(""),
    );
    this.add(textAddress, texts, false);
    this.add(stackAddress, layStack(argv, env), false);
    this.registers[0] = BigInt(stackAddress);
  }

  /** Makes memory; what was there before is none any more. */
  add(start: number, bytes: Uint8Array, writable = true): void {
    this.pieces = this.pieces.filter(
      (piece) => piece.start + piece.bytes.length <= start || start + bytes.length <= piece.start,
    );
    this.pieces.push({ start, bytes, writable });
  }

  /** Memory from an address on, of which the first bytes must be there. */
  at(address: number, length: number, write: boolean): Uint8Array {
    for (const { start, bytes, writable } of this.pieces) {
      const offset = address - start;
      if (offset < 0 || offset + length > bytes.length) continue;
      if (write && !writable) break;
      return bytes.subarray(offset);
    }
    const what = write ? "writes" : "reads";
    throw new Fault(`instruction ${this.position - 1} ${what} ${length} bytes at 0x${address.toString(16)}`);
  }

  text(address: number): string {
    let text = "";
    for (let at = address; ; at++) {
      const [byte = 0] = this.at(at, 1, false);
      if (byte === 0) return text;
      text += String.fromCharCode(byte);
    }
  }

  /** Runs to the end: the exit status, or "engine". */
  run(mostSteps = 1_000_000): number | "engine" {
    const { instructions } = this.recorded.prelude;
    for (let step = 0; step < mostSteps; step++) {
      const index = this.position++;
      const instruction = instructions[index];
      if (!instruction) throw new Fault(`there is no instruction ${index}`);
      if (instruction.operation === "leave") return "engine";
      const call = instruction.number;
      if (typeof call !== "string") this.execute(instruction, call, index);
      else {
        const args = Array.from({ length: 6 }, (_, which) =>
          Number(this.register(instruction.second + which)),
        );
        if (call === "exit_group") return args[0] ?? 0;
        this.set(instruction.first, BigInt(this.kernel(call, args, this)));
      }
    }
    throw new Fault("it does not end");
  }

  private register(index: number): bigint {
    return this.registers[index] ?? 0n;
  }

  private set(index: number, value: bigint): void {
    this.registers[index] = value;
  }

  private execute({ operation, first, second }: Instruction, number: Address, index: number): void {
    const constant = this.constantOf(number);
    const [left, right] = [this.register(first), this.register(second)];
    const jumps = {
      jump: true,
      jump_equal: left === right,
      jump_unequal: left !== right,
      jump_less: left < right,
    };
    if (operation in jumps) {
      if (jumps[operation as keyof typeof jumps]) this.position = constant;
    } else if (operation.startsWith("store")) {
      this.store(Number(right) + constant, Number(operation.slice(5)) / 8, left);
    } else if (operation === "go_back") this.position = Number(left);
    else if (operation === "go_aside") {
      this.set(first, BigInt(this.position));
      this.position = constant;
    } else {
      if (operation === "memory") this.reserve(constant, this.recorded.sizes.get(index) ?? 0);
      this.set(first, this.compute(operation, left, right, constant));
    }
  }

  private constantOf(number: Address): number {
    if (number instanceof Text) return textAddress + number.offset;
    return number instanceof Place ? number.position : number;
  }

  private reserve(offset: number, size: number): void {
    this.add(memoryAddress + offset, new Uint8Array(size).fill(0xaa));
  }

  /** What an operation makes of two registers and its number. */
  private compute(
    operation: Instruction["operation"],
    left: bigint,
    right: bigint,
    constant: number,
  ): bigint {
    if (operation === "set" || operation === "address") return BigInt(constant);
    if (operation === "memory") return BigInt(memoryAddress + constant);
    if (operation === "add_number") return right + BigInt(constant);
    if (operation === "add") return right + this.register(constant);
    if (operation === "subtract") return right - this.register(constant);
    if (operation === "multiply") return right * BigInt(constant);
    if (operation === "and") return right & BigInt(constant);
    if (operation === "seek") return BigInt(this.seek(Number(right), constant));
    if (operation === "copy") return BigInt(this.copy(Number(left), Number(right)));
    if (operation.startsWith("load")) {
      return this.load(Number(right) + constant, Number(operation.slice(4)) / 8);
    }
    throw new Fault(`nothing is known of ${operation}`);
  }

  private load(address: number, width: number): bigint {
    const bytes = this.at(address, width, false).subarray(0, width);
    return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  private store(address: number, width: number, value: bigint): void {
    const bytes = this.at(address, width, true);
    for (let index = 0; index < width; index++) bytes[index] = Number((value >> BigInt(8 * index)) & 0xffn);
  }

  private seek(address: number, wanted: number): number {
    for (let at = address; ; at++) {
      const [byte] = this.at(at, 1, false);
      if (byte === 0 || byte === wanted) return at;
    }
  }

  private copy(to: number, from: number): number {
    for (let offset = 0; ; offset++) {
      const [byte = 0] = this.at(from + offset, 1, false);
      this.at(to + offset, 1, true)[0] = byte;
      if (byte === 0) return to + offset;
    }
  }
}
