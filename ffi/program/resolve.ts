// What is decided about a finished program before its bytes are written: which slot a register has, where labels are,
// and that it always ends.
import type { ImageNote } from "./layout.ts";
import { discardRegister } from "./layout.ts";
import { type Label, type Program, Register, type Step } from "./program.ts";

/** How much is asked of a program. A draft is for listings of a part: it need not end nor place its labels. */
export type Strictness = "complete" | "draft";

/** Where registers are. */
export interface Slots {
  /** By Register.index; -1 for a register that is never used. */
  readonly ofRegister: Int16Array;
  /** By Step.index. */
  readonly ofResult: Uint8Array;
  readonly names: ImageNote["registers"][number][];
}

/** A step for the message of an error. */
export function locate(program: Program, step: Step): string {
  const origin = program.origins[step.origin];
  return `step ${step.index} (${origin ? `${origin}: ` : ""}${step.name})`;
}

/**
 * Gives registers their slots. One without an initial value has its slot only from the step that writes it first to the
 * last that mentions it: jumps go forward, so no other path can need it. Throws when more than 255 are needed at a time,
 * or when a register is read that no earlier step writes.
 */
export function assignSlots(program: Program, strictness: Strictness): Slots {
  const ofRegister = new Int16Array(program.registers.length).fill(-1);
  const ofResult = new Uint8Array(program.steps.length).fill(discardRegister);
  const names: ImageNote["registers"][number][] = [];
  const free: number[] = [];
  let used = 0;
  let unnamed = 0;

  const occupy = (register: Register, first: number): number => {
    const slot = free.pop() ?? used++;
    if (slot >= discardRegister)
      throw new RangeError("a program can use 255 registers at a time, this one needs more");
    ofRegister[register.index] = slot;
    names.push([slot, first, register.last, register.name || `$${++unnamed}`]);
    return slot;
  };

  for (const register of program.registers) {
    if (register.initial !== undefined && (register.last >= 0 || register.index === 0)) occupy(register, -1);
  }
  for (const step of program.steps) {
    for (const operand of step.operands) {
      if (!(operand instanceof Register) || (ofRegister[operand.index] ?? -1) >= 0) continue;
      if (strictness === "complete") {
        throw new Error(`${locate(program, step)}: no step before it writes the register ${operand.name}`);
      }
      occupy(operand, -1);
    }
    const { operands, index, result } = step;
    for (let i = 0; i < operands.length; i++) {
      const operand = operands[i];
      if (!(operand instanceof Register) || operand.last !== index || operand.initial !== undefined) continue;
      if (operands.indexOf(operand) === i) free.push(ofRegister[operand.index] ?? discardRegister);
    }
    if (!result) continue;
    const slot = ofRegister[result.index] ?? -1;
    if (slot >= 0) ofResult[index] = slot;
    else if (result.last > index) ofResult[index] = firstWrite(program, step, result, occupy);
  }
  return { ofRegister, ofResult, names };
}

function firstWrite(
  program: Program,
  step: Step,
  register: Register,
  occupy: (register: Register, first: number) => number,
): number {
  if (step.errorPath === "ignore") {
    throw new Error(
      `${locate(program, step)}: the register ${register.name} is not written when the error is ignored; give it an initial value`,
    );
  }
  return occupy(register, step.index);
}

/** Index of the step that a label stands before. Throws when a complete program never placed it. */
export function labelPosition(program: Program, label: Label, strictness: Strictness): number {
  if (label.position >= 0) return label.position;
  if (strictness === "complete") throw new Error(`label ${label.name} is never placed`);
  return program.steps.length;
}

const endsOnSuccess = new Set(["exit_group", "execve", "execveat", "fail", "jump"]);

/** Whether the step after this one can follow it directly. */
function goesOn(step: Step): boolean {
  return step.errorPath === "ignore"
    ? step.name !== "jump" && step.name !== "exit_group"
    : !endsOnSuccess.has(step.name);
}

/** Throws when a step that can be reached leads past the last one. */
export function checkEnd(program: Program): void {
  const { steps } = program;
  const end = steps.length;
  // Reachability matters only for what could run past the end, and hardly any program ends with a step that could.
  const past = steps.filter(
    (step) =>
      (step.index === end - 1 && goesOn(step)) ||
      step.nonZeroPath?.position === end ||
      (typeof step.errorPath === "object" && step.errorPath.position === end),
  );
  if (end > 0 && past.length === 0) return;
  const reached = reachable(program);
  const step = past.find(({ index }) => reached[index]);
  if (step) throw new Error(`${locate(program, step)}: the program can run past its last step`);
  if (end === 0) throw new Error("a program without steps");
}

function reachable({ steps }: Program): Uint8Array {
  const reached = new Uint8Array(steps.length + 1);
  reached[0] = 1;
  for (const step of steps) {
    if (!reached[step.index]) continue;
    if (goesOn(step)) reached[step.index + 1] = 1;
    if (step.nonZeroPath) reached[step.nonZeroPath.position] = 1;
    if (typeof step.errorPath === "object") reached[step.errorPath.position] = 1;
  }
  return reached;
}
