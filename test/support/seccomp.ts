/** Seccomp profiles for tests, and what they mean, said without any compiler. */
import { ERRNO } from "../../ffi/constants/errno.ts";
import { SECCOMP_ARCH, SECCOMP_RET, X32_SYSCALL_BIT } from "../../ffi/constants/seccomp.ts";
import { callNumbers, type TabledArchitecture, x86Multiplexed } from "../../src/linux/seccomp/numbers.ts";
import {
  type Comparison,
  type Condition,
  type PlannedFilter,
  planSeccomp,
  type SeccompContext,
} from "../../src/linux/seccomp/plan.ts";
import type { Seccomp, SeccompArgument, SeccompSyscall } from "../../src/spec/seccomp.ts";
import type { CallData } from "./bpf.ts";

/** The plan of a profile. */
export function planned(config: Seccomp, arch: SeccompContext["arch"] = "x64"): PlannedFilter {
  const plan = planSeccomp(config, { arch });
  if (plan.kind !== "filter") throw new Error("no filter");
  return plan;
}

/** One of args[]. */
export function argument(index: number, op: Comparison, value: bigint, valueTwo = 0n): SeccompArgument {
  return { index, op: `SCMP_CMP_${op}`, value, valueTwo };
}

/** A rule with an error number. */
export function errno(errnoRet: number, names: string[], ...args: SeccompArgument[]): SeccompSyscall {
  return { names, action: "SCMP_ACT_ERRNO", errnoRet, args };
}

/** A rule that allows. */
export function allow(names: string[], ...args: SeccompArgument[]): SeccompSyscall {
  return { names, action: "SCMP_ACT_ALLOW", args };
}

/** What is returned for a number below the limit, the same in every run. */
export type Random = (limit: number) => number;

export function random(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

export function pick<T>(items: readonly T[], next: Random): T {
  const item = items[next(items.length)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}

/** For every condition of a profile: values on it, beside it, and with either half changed. */
export function interestingValues(plan: PlannedFilter): bigint[] {
  // The small ones select calls of socketcall and ipc.
  const values = new Set<bigint>([0n, 1n, 2n, 15n, 21n, 2n ** 32n, 2n ** 64n - 1n]);
  for (const { value, mask } of plan.rules.flatMap((rule) => rule.conditions)) {
    const near = [value, value + 1n, value - 1n, value ^ (1n << 32n), value ^ (1n << 63n), value | ~mask];
    for (const each of near) values.add(BigInt.asUintN(64, each));
  }
  return [...values];
}

const holds: Readonly<Record<Comparison, (argument: bigint, value: bigint, mask: bigint) => boolean>> = {
  NE: (argument, value) => argument !== value,
  LT: (argument, value) => argument < value,
  LE: (argument, value) => argument <= value,
  EQ: (argument, value) => argument === value,
  GE: (argument, value) => argument >= value,
  GT: (argument, value) => argument > value,
  MASKED_EQ: (argument, value, mask) => (argument & mask) === (value & mask),
};

const multiplexed = x86Multiplexed();
const tables = new Map<TabledArchitecture, ReadonlyMap<string, number>>();

function numbersOf(architecture: TabledArchitecture): ReadonlyMap<string, number> {
  const known = tables.get(architecture) ?? callNumbers(architecture);
  tables.set(architecture, known);
  return known;
}

function architectureOf({ architecture, number }: CallData): TabledArchitecture | undefined {
  if (architecture === SECCOMP_ARCH.X86_64) return number >= X32_SYSCALL_BIT ? "X32" : "X86_64";
  const rows: readonly TabledArchitecture[] = ["X86", "AARCH64", "ARM"];
  return rows.find((name) => SECCOMP_ARCH[name] === architecture);
}

/** Conditions under which a rule takes a call of this number by this name; undefined when it does not. */
function conditionsFor(
  architecture: TabledArchitecture,
  name: string,
  number: number,
  conditions: readonly Condition[],
): readonly Condition[] | undefined {
  const numbers = numbersOf(architecture);
  if (numbers.get(name) === number) return conditions;
  const call = architecture === "X86" ? multiplexed.get(name) : undefined;
  if (!call || numbers.get(call.through) !== number) return undefined;
  const selector: Condition = { index: 0, op: "EQ", value: BigInt(call.selector), mask: 2n ** 64n - 1n };
  return [selector, ...conditions.filter(({ index }) => index !== 0)];
}

function isNewer(plan: PlannedFilter, architecture: TabledArchitecture, number: number): boolean {
  const isPrivate = (each: number) => architecture === "ARM" && each >= 0xf0000;
  const named = plan.rules.flatMap(({ names }) =>
    names.map((name) => numbersOf(architecture).get(name) ?? -1),
  );
  const last = Math.max(-1, ...named.filter((each) => !isPrivate(each)));
  return last >= 0 && number > last && !isPrivate(number);
}

/** What a profile says of a call: the action, or all that could be meant when rules contradict one another. */
export function meaning(plan: PlannedFilter, call: CallData): readonly number[] {
  const architecture = architectureOf(call);
  if (architecture === undefined) return [SECCOMP_RET.KILL_THREAD];
  if (!plan.architectures.includes(architecture)) {
    // -1 is a call that a tracer skips, whatever bits it has.
    const isSkipped =
      call.number === 0xffff_ffff && plan.architectures.includes("X86_64") && architecture === "X32";
    return [isSkipped ? plan.defaultAction : SECCOMP_RET.KILL_THREAD];
  }
  const bits = architecture === "X86_64" || architecture === "AARCH64" ? 64 : 32;
  const cut = (value: bigint) => BigInt.asUintN(bits, value);
  const actions: number[] = [];
  for (const { names, action, conditions } of plan.rules) {
    for (const name of names) {
      const needed = conditionsFor(architecture, name, call.number, conditions);
      if (!needed || action === plan.defaultAction) continue;
      if (needed.length === 0) return [action];
      const isMet = needed.every(({ index, op, value, mask }) =>
        holds[op](cut(call.args[index] ?? 0n), cut(value), cut(mask)),
      );
      if (isMet) actions.push(action);
    }
  }
  if (actions.length > 0) return actions;
  const isUnknown = plan.newer === "enosys" && isNewer(plan, architecture, call.number);
  return [isUnknown ? SECCOMP_RET.ERRNO + ERRNO.ENOSYS : plan.defaultAction];
}
