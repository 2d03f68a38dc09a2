// Root emulation: the calls that only a root with many ids could make are answered with success, and not made. The
// answers are consistent with nothing: who asks for a file's owner afterwards sees what it was.
import { S } from "../../../ffi/constants/file.ts";
import { SECCOMP_FILTER_FLAG } from "../../../ffi/constants/process.ts";
import { SECCOMP_RET } from "../../../ffi/constants/seccomp.ts";
import type { Condition, PlannedFilter, PlannedRule, PlannedSeccomp, SeccompContext } from "./plan.ts";

/**
 * The calls that are answered, by what fails without it where one id is mapped. Names that an architecture does not have
 * are passed over: the forms with 32 are x86's and ARM's, whose first ones had ids of 16 bits.
 */
export const emulatedCalls = {
  // EINVAL: the owner is no id of this namespace. Archivers and package managers chown whatever they unpack.
  owner: ["chown", "chown32", "fchown", "fchown32", "fchownat", "lchown", "lchown32"],
  // EINVAL for an id that is not mapped; what a program does next, it does as root.
  user: [
    "setuid",
    "setuid32",
    "setreuid",
    "setreuid32",
    "setresuid",
    "setresuid32",
    "setfsuid",
    "setfsuid32",
  ],
  group: [
    "setgid",
    "setgid32",
    "setregid",
    "setregid32",
    "setresgid",
    "setresgid32",
    "setfsgid",
    "setfsgid32",
  ],
  // EPERM: whoever maps one id without privilege had to deny it. user_namespaces(7).
  groups: ["setgroups", "setgroups32"],
  // EPERM when capabilities are asked for that the container was not given; most often after a setuid(2) that was answered.
  capabilities: ["capset"],
  // EPERM always, and nobody needs it in a container: who gets success knows that the emulation is on.
  test: ["kexec_load"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The calls that are answered only for devices, and which argument has the mode: any other file can be made. */
export const emulatedDeviceCalls = { mknod: 1, mknodat: 2 } as const;

/** ERRNO with 0 as the error: the call is not made, and returns 0. seccomp(2), SECCOMP_RET_ERRNO. */
const success = SECCOMP_RET.ERRNO;

function rule(
  names: readonly string[],
  conditions: readonly Condition[],
  action: number = success,
): PlannedRule {
  return Object.freeze({ names, action, conditions });
}

function deviceRules(action: number): PlannedRule[] {
  // The kernel takes an unsigned short as the mode, whatever else the register has.
  const mask = BigInt(S.IFMT);
  const modes = [BigInt(S.IFCHR), BigInt(S.IFBLK)];
  return Object.entries(emulatedDeviceCalls).flatMap(([name, index]) =>
    modes.map((value) => rule([name], [{ index, op: "MASKED_EQ", value, mask }], action)),
  );
}

/**
 * The calls that a supervisor answers, beside those of owners and devices: what it was told is what they show. The oldest of
 * 32-bit architectures, stat of 32-bit x86 among them, are the kernel's: see answeredCalls of root emulation.
 */
export const supervisedCalls = [
  "stat",
  "lstat",
  "fstat",
  "newfstatat",
  "statx",
  "stat64",
  "lstat64",
  "fstat64",
  "fstatat64",
] as const;

/**
 * The filter for "notify": owners and devices are a supervisor's to answer, and so is what shows them. What changes the
 * process's own ids is answered by the filter alone, as in planEmulation.
 */
export function planSupervised({ arch }: SeccompContext): PlannedFilter {
  const { owner, ...others } = emulatedCalls;
  const supervised = [...owner, ...supervisedCalls];
  const notified = SECCOMP_RET.USER_NOTIF;
  return Object.freeze<PlannedFilter>({
    ...planEmulation({ arch }),
    // Once it has begun an answer only the end of the process interrupts it: a signal would have the call made twice.
    flags:
      SECCOMP_FILTER_FLAG.SPEC_ALLOW |
      SECCOMP_FILTER_FLAG.NEW_LISTENER |
      SECCOMP_FILTER_FLAG.WAIT_KILLABLE_RECV,
    rules: [rule(Object.values(others).flat(), []), rule(supervised, [], notified), ...deviceRules(notified)],
  });
}

/** The filter of a mode of root emulation. */
export function emulationFilter(
  mode: "none" | "seccomp" | "notify",
  context: SeccompContext,
): PlannedSeccomp {
  if (mode === "none") return { kind: "none" };
  return mode === "notify" ? planSupervised(context) : planEmulation(context);
}

/** The filter for every architecture that a program of the machine can be of; it lets all other calls pass. */
export function planEmulation({ arch }: SeccompContext): PlannedFilter {
  return Object.freeze<PlannedFilter>({
    kind: "filter",
    defaultAction: SECCOMP_RET.ALLOW,
    architectures: arch === "arm64" ? ["AARCH64", "ARM"] : ["X86_64", "X86", "X32"],
    flags: SECCOMP_FILTER_FLAG.SPEC_ALLOW,
    rules: [rule(Object.values(emulatedCalls).flat(), []), ...deviceRules(success)],
    newer: "default",
  });
}
