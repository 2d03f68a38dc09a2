import { type Assembler, JUMP_IF, type Place } from "./assembler.ts";
import type { Condition } from "./plan.ts";

const allOnes64 = 0xffff_ffff_ffff_ffffn;
const allOnes32 = 0xffff_ffffn;

/** What of an argument an architecture has: all of it, or the lower half. */
export type Width = 32 | 64;

// struct seccomp_data { int nr; u32 arch; u64 instruction_pointer; u64 args[6]; }, little endian.
const lowerHalf = (index: number) => 16 + 8 * index;
const upperHalf = (index: number) => 20 + 8 * index;

const lower = (value: bigint) => Number(value & allOnes32);
const upper = (value: bigint) => Number(value >> 32n);

function equal(to: Assembler, condition: Condition, width: Width, yes: Place, no: Place): Place {
  const { index, value, mask } = condition;
  let next = yes;
  const half = (offset: number, halfValue: number, halfMask: number) => {
    // Nothing of this half is compared.
    if (halfMask === 0) return;
    to.branch(JUMP_IF.EQUAL, (halfValue & halfMask) >>> 0, next, no);
    if (halfMask !== 0xffff_ffff) to.and(halfMask);
    next = to.load(offset);
  };
  half(lowerHalf(index), lower(value), lower(mask));
  if (width === 64) half(upperHalf(index), upper(value), upper(mask));
  return next;
}

function greater(to: Assembler, condition: Condition, width: Width, yes: Place, no: Place): Place {
  const { index, op, value } = condition;
  const jump = op === "GT" || op === "LE" ? JUMP_IF.GREATER : JUMP_IF.NOT_LESS;
  to.branch(jump, lower(value), yes, no);
  const lowerPart = to.load(lowerHalf(index));
  if (width === 32) return lowerPart;
  const unlessGreater = to.branch(JUMP_IF.EQUAL, upper(value), lowerPart, no);
  to.branch(JUMP_IF.GREATER, upper(value), yes, unlessGreater);
  return to.load(upperHalf(index));
}

/**
 * Assembles one comparison of an argument.
 * @param yes where to go on when it holds
 * @param no where to go on when it does not
 * @returns where it begins
 */
export function assembleCondition(
  to: Assembler,
  condition: Condition,
  width: Width,
  yes: Place,
  no: Place,
): Place {
  switch (condition.op) {
    case "EQ":
    case "MASKED_EQ":
      return equal(to, condition, width, yes, no);
    case "NE":
      return equal(to, condition, width, no, yes);
    case "GT":
    case "GE":
      return greater(to, condition, width, yes, no);
    case "LE":
    case "LT":
      return greater(to, condition, width, no, yes);
  }
}

/** The numbers that a comparison lets pass, when they are one range: [least, most], empty when least is more. */
function rangeOf({ op, value }: Condition, most: bigint): readonly [bigint, bigint] | undefined {
  switch (op) {
    case "EQ":
      return [value, value];
    case "GE":
      return [value, most];
    case "GT":
      return [value + 1n, most];
    case "LE":
      return [0n, value];
    case "LT":
      return [0n, value - 1n];
    default:
      return undefined;
  }
}

function narrow(condition: Condition, width: Width): Condition {
  return width === 64
    ? condition
    : { ...condition, value: condition.value & allOnes32, mask: condition.mask & allOnes32 };
}

/** True when no argument satisfies both. False may also mean that it is not known. */
function contradict(one: Condition, other: Condition, width: Width): boolean {
  const a = narrow(one, width);
  const b = narrow(other, width);
  if (a.op === "NE" || b.op === "NE") {
    return (a.op === "EQ" || b.op === "EQ") && a.value === b.value;
  }
  if (a.op === "MASKED_EQ" || b.op === "MASKED_EQ") {
    // EQ has a mask too, of all ones; the ranges have one that says nothing.
    const bothEqual = [a, b].every(({ op }) => op === "MASKED_EQ" || op === "EQ");
    return bothEqual && ((a.value ^ b.value) & a.mask & b.mask) !== 0n;
  }
  const most = width === 64 ? allOnes64 : allOnes32;
  const first = rangeOf(a, most);
  const second = rangeOf(b, most);
  if (first === undefined || second === undefined) return false;
  const isEmpty = first[0] > first[1] || second[0] > second[1];
  return isEmpty || first[0] > second[1] || second[0] > first[1];
}

/** True when no call satisfies all of one list and all of the other. False may also mean that it is not known. */
export function exclusive(one: readonly Condition[], other: readonly Condition[], width: Width): boolean {
  for (const a of one) for (const b of other) if (a.index === b.index && contradict(a, b, width)) return true;
  return false;
}
