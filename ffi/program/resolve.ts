// What is decided about a finished program before its bytes are written: which slot a register has, where labels are,
// and that it always ends.
import { discardRegister } from "./layout.ts";
import type { Program } from "./program.ts";
import type { Label, Register, Step } from "./step.ts";
import { stepWords } from "./step-words.ts";

/** How much is asked of a program. A draft is for listings of a part: it need not end nor place its labels. */
export type Strictness = "complete" | "draft";

/** A step for the message of an error. */
export function locate({ code, origins }: Program, { index, name }: Step): string {
  const origin = origins[(code.words[index * stepWords + 3] ?? 0) >>> 16];
  return `step ${index} (${origin ? `${origin}: ` : ""}${name})`;
}

/** Throws when a step reads a register that no earlier step writes. */
export function checkReads(program: Program): void {
  const register = program.code.unset;
  const reader = register && program.steps[register.unset];
  if (reader)
    throw new Error(`${locate(program, reader)}: no step before it writes the register ${register.name}`);
}

/** Throws when a step ignores an error and nothing has written its result's register before. */
export function checkIgnored(program: Program, step: Step, { first, last, initial, name }: Register): void {
  if (first !== step.index || last === first || initial !== undefined) return;
  throw new Error(
    `${locate(program, step)}: the register ${name} is not written when the error is ignored; give it an initial value`,
  );
}

/** By Register.index; -1 for a register that needs no slot. */
export type Slots = number[];

/** Gives registers their slots. Throws when more than 255 are needed at a time. */
export function assignSlots(program: Program, strictness: Strictness): Slots {
  const { registers } = program;
  const slots: number[] = [];
  const shared = registers.length > discardRegister;
  for (let i = 0; i < registers.length; i++) slots.push(shared ? -1 : i);
  return shared ? shareSlots(program, slots, strictness) : slots;
}

/**
 * The same for many registers: one without an initial value has its slot only from the step that writes it first to the
 * last that mentions it. Jumps go forward, so no path can need it before or after.
 */
function shareSlots(program: Program, slots: Slots, strictness: Strictness): Slots {
  const ending: Register[][] = [];
  const beginning: Register[][] = [];
  let used = 0;
  for (const register of program.registers) {
    const { index, initial, first, last, unset } = register;
    const always = initial !== undefined || (strictness === "draft" && unset >= 0);
    if (always) slots[index] = used++;
    // One that is written and never read needs none; the last mention frees the slot before the step's result needs one.
    if (always || last <= first) continue;
    ending[last] = [...(ending[last] ?? []), register];
    beginning[first] = [...(beginning[first] ?? []), register];
  }
  const free: number[] = [];
  for (let step = 0; step < program.steps.length; step++) {
    for (const register of ending[step] ?? []) free.push(slots[register.index] ?? -1);
    for (const register of beginning[step] ?? []) slots[register.index] = free.pop() ?? used++;
    if (used > discardRegister) {
      throw new RangeError("a program can use 255 registers at a time, this one needs more");
    }
  }
  return slots;
}

/** Index of the step that a label stands before. Throws when a complete program never placed it. */
export function labelPosition(program: Program, label: Label, strictness: Strictness): number {
  if (label.position >= 0) return label.position;
  if (strictness === "complete") throw new Error(`label ${label.name} is never placed`);
  return program.steps.length;
}

/** Whether the step after this one can follow it directly. */
function goesOn({ name, errorPath }: Step): boolean {
  switch (name) {
    case "exit_group":
    case "jump":
      return false;
    case "execve":
    case "execveat":
    case "fail":
      return errorPath === "ignore";
    default:
      return true;
  }
}

/** Throws when a step that can be reached leads past the last one. */
export function checkEnd(program: Program): void {
  const { steps, labels } = program;
  const last = steps[steps.length - 1];
  if (!last) throw new Error("a program without steps");
  let past = goesOn(last);
  for (const label of labels) if (label.position === steps.length) past = true;
  // A step that is another one once more: the labels are where the other one is.
  if (last.index !== steps.length - 1) past = true;
  // Which steps can be reached matters only when there is a way past the end, and hardly any program has one.
  if (!past) return;
  const reached = reachable(program);
  if (!reached[steps.length]) return;
  const culprit = steps.findLast((_, index) => reached[index]) ?? last;
  throw new Error(`${locate(program, culprit)}: the program can run past its last step`);
}

function reachable({ steps }: Program): Uint8Array {
  const reached = new Uint8Array(steps.length + 1);
  reached[0] = 1;
  for (const [index, step] of steps.entries()) {
    if (!reached[index]) continue;
    // Other than 0 for a step that is one of before once more: its jumps are as long.
    const distance = index - step.index;
    if (goesOn(step)) reached[index + 1] = 1;
    if (step.nonZeroPath) reached[step.nonZeroPath.position + distance] = 1;
    if (typeof step.errorPath === "object") reached[step.errorPath.position + distance] = 1;
  }
  return reached;
}
