// bunc's own compiler: a binary search over ranges of call numbers. It decides as libseccomp does, or not at all.
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { BPF_MAXINSNS, SECCOMP_ARCH, SECCOMP_RET, X32_SYSCALL_BIT } from "../../../ffi/constants/seccomp.ts";
import { Assembler, JUMP_IF, type Place } from "./assembler.ts";
import { firstPrivateCall } from "./call-ranges.ts";
import { assembleCondition, type Width } from "./conditions.ts";
import { type Alternative, type ArchitectureDecisions, type Decision, decide } from "./decisions.ts";
import type { Architecture, Condition, PlannedFilter } from "./plan.ts";

// struct seccomp_data { int nr; u32 arch; … }
const numberOffset = 0;
const architectureOffset = 4;
const lastNumber = 0xffff_ffff;

/** Numbers from `first` to where the next range begins share a decision. */
interface Range {
  readonly first: number;
  readonly decision: Decision;
  readonly width: Width;
}

/** Calls of an architecture that the profile does not have. libseccomp's default. */
const foreign = SECCOMP_RET.KILL_THREAD;

/** Lets numbers from `first` on have a decision, until the next is added. */
function addRange(ranges: Range[], first: number, decision: Decision, width: Width = 64): void {
  if (ranges[ranges.length - 1]?.first === first) ranges.pop();
  if (ranges[ranges.length - 1]?.decision !== decision) ranges.push({ first, decision, width });
}

function addCalls(ranges: Range[], decisions: ArchitectureDecisions, plan: PlannedFilter): void {
  const { calls, decisions: all, privateCalls, base, width, architecture } = decisions;
  let current: Decision | undefined;
  for (let index = 0; index < calls.length; index++) {
    const decision = all[calls[index] as number] as Decision;
    if (decision === current) continue;
    addRange(ranges, base + index, decision, width);
    current = decision;
  }
  const isNewerUnknown = plan.newer === "enosys" && calls.length > 0;
  const newer = isNewerUnknown ? SECCOMP_RET.ERRNO + ERRNO.ENOSYS : plan.defaultAction;
  addRange(ranges, base + calls.length, newer);
  if (architecture === "ARM") addRange(ranges, firstPrivateCall, plan.defaultAction);
  if (privateCalls.size === 0) return;
  for (const number of [...privateCalls.keys()].sort((a, b) => a - b)) {
    addRange(ranges, number, privateCalls.get(number) ?? plan.defaultAction, width);
    addRange(ranges, number + 1, plan.defaultAction);
  }
}

function decisionsFor(
  name: Architecture,
  all: readonly ArchitectureDecisions[],
): ArchitectureDecisions | undefined {
  for (const one of all) if (one.architecture === name) return one;
  return undefined;
}

/** The ranges for calls that the kernel reports as made for this architecture. */
function rangesOf(
  kernel: Architecture,
  all: readonly ArchitectureDecisions[],
  plan: PlannedFilter,
): readonly Range[] {
  const ranges: Range[] = [];
  const own = decisionsFor(kernel, all);
  if (own === undefined) addRange(ranges, 0, foreign);
  else addCalls(ranges, own, plan);
  if (kernel !== "X86_64") return ranges;
  const x32 = decisionsFor("X32", all);
  if (x32 !== undefined) {
    addCalls(ranges, x32, plan);
  } else {
    addRange(ranges, X32_SYSCALL_BIT, foreign);
    // A tracer sets the number to -1 to have a call skipped, and the kernel asks the filter again: not a foreign call.
    addRange(ranges, lastNumber, plan.defaultAction);
  }
  return ranges;
}

function assembleAlternatives(
  to: Assembler,
  all: readonly Alternative[],
  width: Width,
  defaultAction: number,
): Place {
  let next = to.return(defaultAction);
  for (let index = all.length - 1; index >= 0; index--) {
    const { action, conditions } = all[index] as Alternative;
    const otherwise = next;
    next = to.return(action);
    for (let last = conditions.length - 1; last >= 0; last--) {
      next = assembleCondition(to, conditions[last] as Condition, width, next, otherwise);
    }
  }
  return next;
}

/** Assembles the search in part of the ranges, from `start` to before `end`; returns where it begins. */
function assembleSearch(
  to: Assembler,
  ranges: readonly Range[],
  start: number,
  end: number,
  defaultAction: number,
): Place {
  const middle = (start + end) >> 1;
  const range = ranges[middle];
  if (range === undefined) throw new RangeError("a search in no ranges");
  if (end - start === 1) {
    const { decision, width } = range;
    return typeof decision === "number"
      ? to.return(decision)
      : assembleAlternatives(to, decision, width, defaultAction);
  }
  const upper = assembleSearch(to, ranges, middle, end, defaultAction);
  const lower = assembleSearch(to, ranges, start, middle, defaultAction);
  return to.branch(JUMP_IF.NOT_LESS, range.first, upper, lower);
}

/**
 * Compiles a filter to a binary search over call numbers.
 * @returns struct sock_filter[]; undefined for a profile that only libseccomp can compile: of an architecture without a
 *   table, with rules of different actions that take the same call, or with so many conditions that the kernel would not
 *   take it (libseccomp's has a quarter of the instructions for many conditions on one argument)
 */
export function compileTree(plan: PlannedFilter): Uint8Array | undefined {
  const all = decide(plan);
  if (all === undefined) return undefined;
  const to = new Assembler();
  // The kernel knows x32 as x86-64.
  const kernels: Architecture[] = [];
  for (const name of plan.architectures) {
    const kernel = name === "X32" ? "X86_64" : name;
    if (!kernels.includes(kernel)) kernels.push(kernel);
  }
  let next = to.return(foreign);
  for (const kernel of kernels.reverse()) {
    const otherwise = next;
    const ranges = rangesOf(kernel, all, plan);
    to.continue(assembleSearch(to, ranges, 0, ranges.length, plan.defaultAction));
    const search = to.load(numberOffset);
    next = to.branch(JUMP_IF.EQUAL, SECCOMP_ARCH[kernel], search, otherwise);
  }
  to.continue(next);
  to.load(architectureOffset);
  return to.place <= BPF_MAXINSNS ? to.finish() : undefined;
}
