import { ERRNO } from "../../../ffi/constants/errno.ts";
import { SECCOMP_FILTER_FLAG } from "../../../ffi/constants/process.ts";
import { type SECCOMP_ARCH, SECCOMP_RET, SECCOMP_RET_DATA } from "../../../ffi/constants/seccomp.ts";
import type {
  Seccomp,
  SeccompAction,
  SeccompArchitecture,
  SeccompArgument,
  SeccompFlag,
  SeccompSyscall,
} from "../../spec/seccomp.ts";

/** An architecture by the name of its SCMP_ARCH_* constant. */
export type Architecture = keyof typeof SECCOMP_ARCH;

/** How an argument is compared: the name of an SCMP_CMP_* constant. */
export type Comparison = "NE" | "LT" | "LE" | "EQ" | "GE" | "GT" | "MASKED_EQ";

/** One comparison of an argument, unsigned, 64 bits wide. */
export interface Condition {
  /** 0 to 5. */
  readonly index: number;
  readonly op: Comparison;
  readonly value: bigint;
  /** What MASKED_EQ leaves of the argument before it compares; all ones for the others. */
  readonly mask: bigint;
}

/** What is returned for some calls when every condition holds; there is at most one condition an argument. */
export interface PlannedRule {
  readonly names: readonly string[];
  /** SECCOMP_RET_* with its data. */
  readonly action: number;
  readonly conditions: readonly Condition[];
}

export interface PlannedFilter {
  readonly kind: "filter";
  /** SECCOMP_RET_* with its data, for calls that no rule takes. */
  readonly defaultAction: number;
  /** Of those that the machine can have its own first, none twice. Calls of any other end the thread. */
  readonly architectures: readonly [Architecture, ...Architecture[]];
  /** SECCOMP_FILTER_FLAG_* or-ed, for seccomp(2). */
  readonly flags: number;
  /** In the order of the config; a later rule never replaces an earlier one. */
  readonly rules: readonly PlannedRule[];
  /** What becomes of calls with a higher number than every call that the profile names. */
  readonly newer: "default" | "enosys";
}

export type PlannedSeccomp = { readonly kind: "none" } | PlannedFilter;

/** What a profile is resolved against. */
export interface SeccompContext {
  /** The machine, as process.arch names it. */
  readonly arch: "x64" | "arm64";
}

/** The values of defaultAction and syscalls[].action: what each returns. KILL is the old name of KILL_THREAD. */
export const seccompActions: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_KILL: SECCOMP_RET.KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: SECCOMP_RET.KILL_PROCESS,
  SCMP_ACT_KILL_THREAD: SECCOMP_RET.KILL_THREAD,
  SCMP_ACT_TRAP: SECCOMP_RET.TRAP,
  SCMP_ACT_ERRNO: SECCOMP_RET.ERRNO,
  SCMP_ACT_TRACE: SECCOMP_RET.TRACE,
  SCMP_ACT_ALLOW: SECCOMP_RET.ALLOW,
  SCMP_ACT_LOG: SECCOMP_RET.LOG,
  SCMP_ACT_NOTIFY: SECCOMP_RET.USER_NOTIF,
};

/** The actions that take an errno (TRACE: a message for the tracer); errnoRet with any other is an error. */
export const actionsWithErrno: ReadonlySet<SeccompAction> = new Set(["SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"]);

/** The values of flags[]. */
export const seccompFlags: Readonly<Record<SeccompFlag, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: SECCOMP_FILTER_FLAG.TSYNC,
  SECCOMP_FILTER_FLAG_LOG: SECCOMP_FILTER_FLAG.LOG,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: SECCOMP_FILTER_FLAG.SPEC_ALLOW,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: SECCOMP_FILTER_FLAG.WAIT_KILLABLE_RECV,
};

/** The values of syscalls[].args[].op. */
export const seccompOperators: Readonly<Record<SeccompArgument["op"], Comparison>> = {
  SCMP_CMP_NE: "NE",
  SCMP_CMP_LT: "LT",
  SCMP_CMP_LE: "LE",
  SCMP_CMP_EQ: "EQ",
  SCMP_CMP_GE: "GE",
  SCMP_CMP_GT: "GT",
  SCMP_CMP_MASKED_EQ: "MASKED_EQ",
};

const allOnes = 0xffff_ffff_ffff_ffffn;

function planAction(name: SeccompAction, errnoRet: number | undefined): number {
  const action = seccompActions[name];
  // EPERM without an errnoRet: what runc and crun return.
  return actionsWithErrno.has(name) ? action + ((errnoRet ?? ERRNO.EPERM) & SECCOMP_RET_DATA) : action;
}

function planCondition({ index, value, valueTwo, op: operator }: SeccompArgument): Condition {
  const op = seccompOperators[operator];
  // SCMP_CMP_MASKED_EQ has its mask in value and what to compare with in valueTwo.
  return op === "MASKED_EQ"
    ? { index, op, mask: value, value: valueTwo ?? 0n }
    : { index, op, mask: allOnes, value };
}

const nothing: readonly SeccompArgument[] = [];

function planRules(syscalls: readonly SeccompSyscall[]): PlannedRule[] {
  const rules: PlannedRule[] = [];
  for (const { names, action: actionName, errnoRet, args } of syscalls) {
    const action = planAction(actionName, errnoRet);
    const conditions: Condition[] = [];
    let seen = 0;
    let isRepeated = false;
    for (const arg of args ?? nothing) {
      isRepeated ||= ((seen >> arg.index) & 1) !== 0;
      seen |= 1 << arg.index;
      conditions.push(planCondition(arg));
    }
    if (!isRepeated) {
      rules.push(Object.freeze({ names, action, conditions }));
      continue;
    }
    // Several conditions on one argument: any of all the rule's conditions is enough. Old engines wrote "a or b" so,
    // and runc and crun still read it so.
    for (const condition of conditions) {
      rules.push(Object.freeze({ names, action, conditions: [condition] }));
    }
  }
  return rules;
}

const { SPEC_ALLOW, TSYNC, TSYNC_ESRCH, NEW_LISTENER, WAIT_KILLABLE_RECV } = SECCOMP_FILTER_FLAG;

function planFlags(names: readonly SeccompFlag[] | undefined, notifies: boolean): number {
  // None named at all, which is not the empty list: runc's default. The flag leaves off the costly speculation barriers.
  let flags: number = names === undefined ? SPEC_ALLOW : 0;
  for (const name of names ?? []) flags |= seccompFlags[name];
  // It says how a call waits for a listener's answer. Without a listener the kernel refuses it (EINVAL).
  if (!notifies) return flags & ~WAIT_KILLABLE_RECV;
  // The result cannot be both, the listener and the thread that was not reached: the kernel wants an error for that one.
  if ((flags & TSYNC) !== 0) flags |= TSYNC_ESRCH;
  return flags | NEW_LISTENER;
}

/** Whether loading the filter gives a descriptor on which its calls are answered; a process can have one such filter. */
export function isListening(filter: PlannedSeccomp): filter is PlannedFilter {
  return filter.kind === "filter" && (filter.flags & NEW_LISTENER) !== 0;
}

/** Who answers the calls of a filter with SCMP_ACT_NOTIFY. */
export interface PlannedAgent {
  /** Of a Unix stream socket, as config.json has it. */
  readonly path: string;
  readonly metadata: string;
}

/** The agent that config.json names; null when no rule has a call answered by it: then the path is ignored. */
export function planAgent(config: Seccomp | undefined, seccomp: PlannedSeccomp): PlannedAgent | null {
  if (!isListening(seccomp)) return null;
  return Object.freeze({ path: config?.listenerPath ?? "", metadata: config?.listenerMetadata ?? "" });
}

/**
 * Of which architectures a machine's calls can be, its own first. Profiles are written for many machines: what they say of
 * others can never apply here, and libseccomp takes no two of different byte orders.
 */
export const machineArchitectures = {
  x64: ["X86_64", "X86", "X32"],
  arm64: ["AARCH64", "ARM"],
} as const satisfies Record<SeccompContext["arch"], readonly [Architecture, ...Architecture[]]>;

function architectureOf(name: SeccompArchitecture): Architecture {
  return name.slice("SCMP_ARCH_".length) as Architecture;
}

const permissive: readonly number[] = [
  SECCOMP_RET.ALLOW,
  SECCOMP_RET.LOG,
  SECCOMP_RET.TRACE,
  SECCOMP_RET.USER_NOTIF,
];

/**
 * Resolves linux.seccomp: names become numbers, defaults are filled in, rules of the old "or" form are split.
 * Names of system calls stay names: which of them exist differs from one architecture to the next.
 * Source: config-linux.md, "Seccomp"; seccomp(2).
 */
export function planSeccomp(config: Seccomp | undefined, context: SeccompContext): PlannedSeccomp {
  if (config === undefined) return { kind: "none" };
  const possible: readonly [Architecture, ...Architecture[]] = machineArchitectures[context.arch];
  const architectures = new Set<Architecture>([possible[0]]);
  for (const name of config.architectures ?? []) {
    const architecture = architectureOf(name);
    if (possible.includes(architecture)) architectures.add(architecture);
  }
  const defaultAction = planAction(config.defaultAction, config.defaultErrnoRet);
  const rules = planRules(config.syscalls ?? []);
  let notifies = defaultAction === SECCOMP_RET.USER_NOTIF;
  for (const { action } of rules) notifies ||= action === SECCOMP_RET.USER_NOTIF;
  // A C library probes for new calls and falls back on ENOSYS alone; a profile older than the call would answer EPERM.
  // Filters that let unnamed calls pass, or tell a tracer or an agent, have no need of it.
  const answersNewer = !permissive.includes(defaultAction & ~SECCOMP_RET_DATA);
  return Object.freeze({
    kind: "filter",
    defaultAction,
    architectures: Object.freeze([...architectures]) as PlannedFilter["architectures"],
    flags: planFlags(config.flags, notifies),
    rules: Object.freeze(rules),
    newer: answersNewer && defaultAction !== SECCOMP_RET.ERRNO + ERRNO.ENOSYS ? "enosys" : "default",
  });
}
