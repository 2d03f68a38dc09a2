import { X32_SYSCALL_BIT } from "../../../ffi/constants/seccomp.ts";
import { exclusive, type Width } from "./conditions.ts";
import { callNumbers, type Multiplexed, type TabledArchitecture, x86Multiplexed } from "./numbers.ts";
import type { Condition, PlannedFilter } from "./plan.ts";

/** What is done with a call when all the conditions hold. */
export interface Alternative {
  readonly action: number;
  readonly conditions: readonly Condition[];
}

/** What is done with a call: always the same, or one of several, which exclude each other. */
export type Decision = number | readonly Alternative[];

/** The decisions of a profile for one architecture; calls that have none get the default. */
export interface ArchitectureDecisions {
  readonly architecture: TabledArchitecture;
  readonly width: Width;
  /** What x32 adds to its numbers. */
  readonly base: number;
  /** By number, less the base: all calls but the private ones, up to the last that the profile names. */
  readonly calls: readonly (Decision | undefined)[];
  /** Those of ARM that are numbered apart, by number. */
  readonly privateCalls: ReadonlyMap<number, Decision>;
}

/** Under this are the calls that Linux numbers in a row; ARM has a few of its own above. */
export const firstPrivateCall = 0xf0000;

// As libseccomp has it: x32 is compared in 32 bits, although its registers have 64.
const widths: Readonly<Record<TabledArchitecture, Width>> = {
  X86_64: 64,
  X86: 32,
  X32: 32,
  AARCH64: 64,
  ARM: 32,
};

const allOnes = 0xffff_ffff_ffff_ffffn;

/** The rule for the call that another one is made through, with the condition that picks it. */
function throughAnother({ action, conditions }: Alternative, { selector }: Multiplexed): Alternative {
  const all: Condition[] = [{ index: 0, op: "EQ", value: BigInt(selector), mask: allOnes }];
  // The other conditions stay on the arguments of the call that it is made through, where they mean something else. That
  // is libseccomp's choice; a profile that cares decides socketcall and ipc as a whole.
  for (const condition of conditions) if (condition.index !== 0) all.push(condition);
  return { action, conditions: all };
}

/** What is decided with one more rule. A rule without conditions goes before those with some; of several, the first. */
function withRule(known: Decision | undefined, rule: Alternative): Decision {
  if (typeof known === "number") return known;
  if (rule.conditions.length === 0) return rule.action;
  return known === undefined ? [rule] : [...known, rule];
}

/** True when a call can meet the conditions of two alternatives that say different things. */
function isContradictory(decision: Decision | undefined, width: Width): boolean {
  if (decision === undefined || typeof decision === "number") return false;
  for (const one of decision) {
    for (const other of decision) {
      if (other === one) break;
      if (one.action !== other.action && !exclusive(one.conditions, other.conditions, width)) return true;
    }
  }
  return false;
}

/**
 * What a profile decides for every call of an architecture.
 * @returns undefined when two rules with different actions take the same call: which of them wins, libseccomp says
 */
export function decideCalls(
  plan: PlannedFilter,
  architecture: TabledArchitecture,
): ArchitectureDecisions | undefined {
  const numbers = callNumbers(architecture);
  const width = widths[architecture];
  const base = architecture === "X32" ? X32_SYSCALL_BIT : 0;
  const calls: (Decision | undefined)[] = [];
  const privateCalls = new Map<number, Decision>();
  const add = (number: number, rule: Alternative) => {
    if (number - base >= firstPrivateCall) {
      if (rule.action !== plan.defaultAction)
        privateCalls.set(number, withRule(privateCalls.get(number), rule));
      return;
    }
    // Without holes, so that it stays a plain array; that it is as long as the last name demands is what it promises.
    while (calls.length <= number - base) calls.push(undefined);
    // A rule that repeats the default changes nothing, not even what other rules say: libseccomp does not take it.
    if (rule.action !== plan.defaultAction) calls[number - base] = withRule(calls[number - base], rule);
  };
  const multiplexed = architecture === "X86" ? x86Multiplexed() : undefined;
  for (const rule of plan.rules) {
    for (const name of rule.names) {
      const number = numbers.get(name);
      if (number !== undefined) add(number, rule);
      const call = multiplexed?.get(name);
      if (call === undefined) continue;
      const through = numbers.get(call.through);
      if (through !== undefined) add(through, throughAnother(rule, call));
    }
  }
  for (const decision of calls) if (isContradictory(decision, width)) return undefined;
  for (const decision of privateCalls.values()) if (isContradictory(decision, width)) return undefined;
  return { architecture, width, base, calls, privateCalls };
}
