// The prelude as machine code: an interpreter, the instructions, their texts. It runs wherever it is put.
import { calls } from "../calls.ts";
import { tableBytes } from "../program/interpreter/machine-code.ts";
import { type Arch, numberColumn } from "../program/layout.ts";
import { arm64 } from "./interpreter/arm64.ts";
import { x64 } from "./interpreter/x64.ts";
import { type Instruction, Place, type Prelude, Text } from "./prelude.ts";

const interpreters = { x64, arm64 } as const;

/** Bytes of an entry of an interpreter's table. */
const unit = { x64: 1, arm64: 4 } as const;

const instructionSize = 8;

/** An interpreter's bytes, and where in them its labels are. */
export function readInterpreter(arch: Arch): { bytes: Uint8Array; labels: ReadonlyMap<string, number> } {
  const table = interpreters[arch];
  const labels = new Map<string, number>();
  let length = 0;
  for (const entry of table) {
    if (typeof entry === "number") length += unit[arch];
    else if (entry.endsWith(":")) labels.set(entry.slice(0, -1), length);
  }
  return { bytes: tableBytes(arch, table), labels };
}

/**
 * The code of a prelude: its first instruction is the first to be run, with the stack and the registers as the kernel and
 * the dynamic linker leave them to a program.
 * @param engine where the program begins that the process is left to, in bytes from this code's beginning
 * Throws RangeError when something does not fit into an instruction.
 */
export function assemble(prelude: Prelude, arch: Arch, engine: number): Uint8Array {
  const { bytes, labels } = readInterpreter(arch);
  const start = labels.get("program") ?? 0;
  const textStart = start + instructionSize * prelude.instructions.length;
  const texts = new TextEncoder().encode(
    prelude
      .constants()
      .map((text) => `${text}\0`)
      .join(""),
  );
  const code = new Uint8Array(textStart + texts.length);
  const view = new DataView(code.buffer);
  code.set(bytes);
  code.set(texts, textStart);

  const numberOf = ({ operation, number }: Instruction): number => {
    if (operation === "leave") return engine;
    if (typeof number === "string") return calls[number][numberColumn[arch]];
    if (number instanceof Text) return textStart + number.offset;
    return number instanceof Place ? start + instructionSize * number.position : number;
  };

  for (const [index, instruction] of prelude.instructions.entries()) {
    const at = start + instructionSize * index;
    const operation = labels.get(instruction.operation);
    if (operation === undefined) throw new RangeError(`no interpreter has ${instruction.operation}`);
    view.setUint16(at, operation, true);
    view.setUint8(at + 2, instruction.first);
    view.setUint8(at + 3, instruction.second);
    view.setInt32(at + 4, numberOf(instruction), true);
  }
  return code;
}
