import { X32_SYSCALL_BIT } from "../../../ffi/constants/seccomp.ts";
import { firstPrivateCall, mostCalls } from "./call-ranges.ts";
import { callTable, hasTable } from "./call-table.ts";
import { exclusive, type Width } from "./conditions.ts";
import type { TabledArchitecture } from "./numbers.ts";
import type { Condition, PlannedFilter, PlannedRule } from "./plan.ts";
import type { CallTable } from "./tabulate.ts";

/** What is done with a call when all the conditions hold. */
export interface Alternative {
  readonly action: number;
  readonly conditions: readonly Condition[];
}

/** What is done with a call: always the same, or one of several, which exclude each other. */
export type Decision = number | readonly Alternative[];

/** The decisions of a profile for one architecture. */
export interface ArchitectureDecisions {
  readonly architecture: TabledArchitecture;
  readonly width: Width;
  /** What x32 adds to its numbers. */
  readonly base: number;
  /** All that is decided; the first is the default. */
  readonly decisions: readonly Decision[];
  /** Which of them, by number less the base: all calls but the private ones, up to the last that the profile names. */
  readonly calls: Uint32Array;
  /** Those of ARM that are numbered apart, by number. */
  readonly privateCalls: ReadonlyMap<number, Decision>;
}

// As libseccomp has it: x32 is compared in 32 bits, although its registers have 64.
const widths: Readonly<Record<TabledArchitecture, Width>> = {
  X86_64: 64,
  X86: 32,
  X32: 32,
  AARCH64: 64,
  ARM: 32,
};

const allOnes = 0xffff_ffff_ffff_ffffn;

/** A rule of the profile, and where the table of calls has its names. */
interface NamedRule {
  readonly rule: PlannedRule;
  readonly rows: readonly number[];
}

/** Finds the names of a profile in a table of calls. Those that no architecture of the table has are left out. */
function findRows(rules: readonly PlannedRule[], { names }: CallTable): readonly NamedRule[] {
  const known = new Map<string, number>();
  for (const name of names.split(" ")) known.set(name, known.size);
  const found: NamedRule[] = [];
  for (const rule of rules) {
    const rows: number[] = [];
    for (const name of rule.names) {
      const row = known.get(name);
      if (row !== undefined) rows.push(row);
    }
    found.push({ rule, rows });
  }
  return found;
}

/** The rule for the call that another one is made through, with the condition that picks it. */
function throughAnother({ action, conditions }: Alternative, selector: number): Alternative {
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
function isContradictory(decision: Decision, width: Width): boolean {
  if (typeof decision === "number") return false;
  for (const one of decision) {
    for (const other of decision) {
      if (other === one) break;
      if (one.action !== other.action && !exclusive(one.conditions, other.conditions, width)) return true;
    }
  }
  return false;
}

/** The decisions for one architecture, under way. */
class Decisions {
  readonly all: Decision[];
  readonly calls: Uint32Array;
  readonly privateCalls: Map<number, Decision>;
  /** The last number that was named. */
  last: number;
  private readonly defaultAction: number;

  constructor(defaultAction: number) {
    this.all = [defaultAction];
    this.calls = new Uint32Array(mostCalls);
    this.privateCalls = new Map();
    this.last = -1;
    this.defaultAction = defaultAction;
  }

  /** Adds a rule without conditions for these rows of a table. */
  addAlways(action: number, rows: readonly number[], numbers: readonly number[]): void {
    const { all, calls } = this;
    // A rule that repeats the default changes nothing, not even what other rules say: libseccomp does not take it.
    const own = action === this.defaultAction ? 0 : all.push(action) - 1;
    let last = this.last;
    for (const row of rows) {
      const number = numbers[row] as number;
      if (number >= firstPrivateCall) {
        this.addPrivate(number, { action, conditions: [] });
        continue;
      }
      if (number > last) last = number;
      if (number < 0 || own === 0) continue;
      const known = calls[number] as number;
      if (known === 0) calls[number] = own;
      // The call's own, for it has conditions.
      else if (typeof all[known] !== "number") all[known] = action;
    }
    this.last = last;
  }

  /** Adds a rule for one call. */
  add(number: number, rule: Alternative): void {
    if (number >= firstPrivateCall) {
      this.addPrivate(number, rule);
      return;
    }
    if (number > this.last) this.last = number;
    if (rule.action === this.defaultAction) return;
    const { all, calls } = this;
    const known = calls[number] as number;
    if (known === 0) calls[number] = all.push(withRule(undefined, rule)) - 1;
    else all[known] = withRule(all[known], rule);
  }

  private addPrivate(number: number, rule: Alternative): void {
    if (rule.action === this.defaultAction) return;
    this.privateCalls.set(number, withRule(this.privateCalls.get(number), rule));
  }
}

/** Adds a rule for the calls that x86 makes through others. */
function addMultiplexed(decisions: Decisions, { rule, rows }: NamedRule, table: CallTable): void {
  const { selectors, through } = table;
  for (const row of rows) {
    const selector = selectors[row] as number;
    if (selector > 0) decisions.add(through.socketcall, throughAnother(rule, selector));
    else if (selector < 0) decisions.add(through.ipc, throughAnother(rule, -selector));
  }
}

/** Undefined when two rules with different actions take the same call. */
function decideCalls(
  { defaultAction }: PlannedFilter,
  architecture: TabledArchitecture,
  named: readonly NamedRule[],
  table: CallTable,
): ArchitectureDecisions | undefined {
  const numbers = table.numbers[architecture] ?? [];
  const width = widths[architecture];
  const base = architecture === "X32" ? X32_SYSCALL_BIT : 0;
  const decisions = new Decisions(defaultAction);
  for (const each of named) {
    const { rule, rows } = each;
    if (rule.conditions.length === 0) decisions.addAlways(rule.action, rows, numbers);
    else
      for (const row of rows) if ((numbers[row] as number) >= 0) decisions.add(numbers[row] as number, rule);
    if (architecture === "X86") addMultiplexed(decisions, each, table);
  }
  const { all, calls, last, privateCalls } = decisions;
  for (const decision of all) if (isContradictory(decision, width)) return undefined;
  for (const decision of privateCalls.values()) if (isContradictory(decision, width)) return undefined;
  return { architecture, width, base, decisions: all, calls: calls.subarray(0, last + 1), privateCalls };
}

/**
 * What a profile decides for every call of its architectures.
 * @returns undefined when an architecture has no table, or two rules with different actions take the same call: which of
 *   them wins, libseccomp says
 */
export function decide(plan: PlannedFilter): readonly ArchitectureDecisions[] | undefined {
  const all: ArchitectureDecisions[] = [];
  let table: CallTable | undefined;
  let named: readonly NamedRule[] = [];
  for (const architecture of plan.architectures) {
    if (!hasTable(architecture)) return undefined;
    if (table?.numbers[architecture] === undefined) {
      table = callTable(architecture);
      named = findRows(plan.rules, table);
    }
    const decisions = decideCalls(plan, architecture, named, table);
    if (decisions === undefined) return undefined;
    all.push(decisions);
  }
  return all;
}
