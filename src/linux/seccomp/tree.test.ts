import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { SECCOMP_ARCH, X32_SYSCALL_BIT } from "../../../ffi/constants/seccomp.ts";
import { resolveCall } from "../../../ffi/seccomp.ts";
import { decide } from "../../../test/support/bpf.ts";
import {
  allow,
  argument,
  errno,
  interestingValues,
  meaning,
  pick,
  planned,
  type Random,
  random,
} from "../../../test/support/seccomp.ts";
import { parseJson } from "../../spec/json.ts";
import type { Seccomp } from "../../spec/seccomp.ts";
import { compileWithLibseccomp } from "./libseccomp.ts";
import type { Comparison, PlannedFilter } from "./plan.ts";
import { compileTree } from "./tree.ts";

const { X86_64, X86, AARCH64, ARM, RISCV64 } = SECCOMP_ARCH;

/** Every number that a table may have, the ends of its ranges, and a few that nobody has. */
const everyNumber = (() => {
  const row = Array.from({ length: 620 }, (_, index) => index);
  const edges = [0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, 0xefff_ffff, 0xffff_fffe, 0xffff_ffff];
  const arm = Array.from({ length: 10 }, (_, index) => 0xeffff + index);
  return [...row, ...arm, ...row.map((number) => number + X32_SYSCALL_BIT), ...edges];
})();

/** The calls that random profiles name: plain ones, and the families that x86 multiplexes. */
const sample = ["read", "clone", "personality", "ioctl", "socket", "shmget", "socketcall"];
const sampleNumbers: readonly [number, readonly number[]][] = [
  [X86_64, [0, 16, 29, 41, 56, 135, ...[0, 514, 29, 41, 56, 135].map((number) => number + X32_SYSCALL_BIT)]],
  [X86, [3, 54, 102, 117, 120, 136, 359, 395]],
];
const allNumbers: readonly [number, readonly number[]][] = [X86_64, X86, AARCH64, ARM, RISCV64].map(
  (architecture) => [architecture, everyNumber],
);

interface Against {
  readonly libseccomp: boolean;
  readonly numbers: readonly [number, readonly number[]][];
  /** Choices of arguments for each number. */
  readonly rounds: number;
}

/** Compiles a profile and compares each decision with what the profile means, and with libseccomp's. */
function compare(plan: PlannedFilter, { libseccomp, numbers, rounds }: Against): void {
  const own = compileTree(plan);
  if (own === undefined) throw new Error("not covered");
  const theirs = libseccomp ? compileWithLibseccomp(plan) : undefined;
  const values = interestingValues(plan);
  const next = random(7);
  for (const [architecture, row] of numbers) {
    for (const number of row) {
      for (let round = 0; round < rounds; round++) {
        const call = { architecture, number, args: Array.from({ length: 6 }, () => pick(values, next)) };
        const { action } = decide(own, call);
        // Only a difference is worth an expectation: there are millions of calls.
        const meant = round < 3 || numbers === sampleNumbers ? meaning(plan, call) : [action];
        if (!meant.every((each) => each === action))
          expect({ plan, call, action }).toEqual({ meant } as never);
        const other = theirs && decide(theirs, call).action;
        if (other !== undefined && other !== action)
          expect({ plan, call, action }).toEqual({ other } as never);
      }
    }
  }
}

const exhaustive: Against = { libseccomp: true, numbers: allNumbers, rounds: 6 };
const fixture = new URL("../../../test/fixtures/buildah-config.json", import.meta.url);
const { seccomp } = (parseJson(readFileSync(fixture, "utf8")) as { linux: { seccomp: Seccomp } }).linux;

/** buildah's profile as the schema gives it, without the names that this machine's libseccomp does not know. */
const buildah: Seccomp = {
  ...seccomp,
  syscalls: (seccomp.syscalls ?? []).map((rule) => ({
    ...rule,
    names: rule.names.filter((name) => resolveCall(name) !== undefined),
    args: (rule.args ?? []).map((each) => ({ ...each, value: BigInt(each.value), valueTwo: 0n })),
  })),
};

describe("whole profiles are decided as they mean, and as libseccomp decides them", () => {
  test("buildah's", () => {
    const plan = planned(buildah);
    compare(plan, { ...exhaustive, rounds: 20 });
    expect(compileTree(plan)?.length).toBeLessThan(compileWithLibseccomp(plan).length / 3);
  });

  test("buildah's, with EPERM by default: newer calls get ENOSYS", () => {
    const plan = planned({ ...buildah, defaultErrnoRet: 1 });
    compare(plan, exhaustive);
    const answer = (number: number) =>
      decide(compileTree(plan) ?? new Uint8Array(), { architecture: X86_64, number, args: [] }).action &
      0xffff;
    expect([answer(600), answer(180)]).toEqual([38, 1]);
  });

  test("docker's shape: flags of clone, ENOSYS for clone3, no vsock", () => {
    const syscalls = [
      ...(buildah.syscalls ?? []).slice(1, 7),
      allow(["clone"], argument(0, "MASKED_EQ", 0x7e02_0000n)),
      errno(38, ["clone3"]),
      allow(["socket"], argument(0, "NE", 40n)),
    ];
    compare(planned({ ...buildah, defaultErrnoRet: 1, syscalls }), exhaustive);
  });

  // One test each: every call of every architecture is asked for several times.
  test.each<[NonNullable<Seccomp["architectures"]>]>([
    [[]],
    [["SCMP_ARCH_X32"]],
    [["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]],
  ])(
    "with the architectures %j",
    (architectures) => compare(planned({ ...buildah, architectures }), { ...exhaustive, rounds: 4 }),
    60_000,
  );

  test("without rules, and with each action as the default", () => {
    compare(planned({ defaultAction: "SCMP_ACT_ALLOW" }), { ...exhaustive, rounds: 1 });
    for (const name of ["KILL", "KILL_PROCESS", "TRAP", "LOG", "TRACE"] as const) {
      const plan = planned({ defaultAction: `SCMP_ACT_${name}`, syscalls: [allow(["read", "write"])] });
      compare(plan, { ...exhaustive, rounds: 1 });
    }
  });

  test("of an arm64 machine with its 32-bit calls", () => {
    // libseccomp takes for granted the machine that it runs on, so it has nothing to compare with here.
    const syscalls = [...(buildah.syscalls ?? []), allow(["breakpoint", "cacheflush", "set_tls"])];
    const plan = planned(
      { ...buildah, architectures: ["SCMP_ARCH_ARM"], defaultErrnoRet: 1, syscalls },
      "arm64",
    );
    expect(plan.architectures).toEqual(["AARCH64", "ARM"]);
    compare(plan, { ...exhaustive, libseccomp: false });
    const action = (architecture: number, number: number) =>
      decide(compileTree(plan) ?? new Uint8Array(), { architecture, number, args: [] }).action;
    expect([action(AARCH64, 63), action(ARM, 3), action(ARM, 0xf0002)]).toEqual(Array(3).fill(0x7fff_0000));
    expect([action(ARM, 0xf0009), action(ARM, 600), action(X86_64, 0)]).toEqual([
      0x0005_0001, 0x0005_0026, 0,
    ]);
  });
});

const comparisons: readonly Comparison[] = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];
const operands = [0n, 1n, 9n, 16n, 0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0009n, 0xffff_ffff_ffff_ffffn];

function randomProfile(next: Random, names: readonly string[], most: number): PlannedFilter {
  const syscalls = Array.from({ length: 1 + next(most) }, () => {
    const indexes = [0, 1, 2].filter(() => next(2) === 0);
    const args = indexes.map((index) =>
      argument(index, pick(comparisons, next), pick(operands, next), pick(operands, next)),
    );
    return errno(5, [pick(names, next)], ...args);
  });
  return planned({
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    syscalls,
  });
}

describe("conditions", () => {
  test.each([...comparisons])("%s, with operands of 32 and 64 bits", (op) => {
    for (const value of operands) {
      for (const valueTwo of op === "MASKED_EQ" ? operands : [0n]) {
        const rule = errno(5, ["read", "socket", "shmget"], argument(1, op, value, valueTwo));
        const config: Seccomp = {
          defaultAction: "SCMP_ACT_ALLOW",
          architectures: ["SCMP_ARCH_X86"],
          syscalls: [rule],
        };
        compare(planned(config), { libseccomp: true, numbers: sampleNumbers, rounds: 40 });
      }
    }
  });

  test("many rules for one call, at random, mean what they say", () => {
    const next = random(99);
    for (let round = 0; round < 150; round++) {
      compare(randomProfile(next, sample, 8), { libseccomp: false, numbers: sampleNumbers, rounds: 40 });
    }
  });

  test("one rule, at random, is decided as by libseccomp", () => {
    const next = random(5);
    // libseccomp 2.5.4 goes wrong with several rules for one call (GHSA-4q85-33p6-j5g6), and in profiles with X32 when the
    // first of them names a call that x86-64 lacks.
    for (let round = 0; round < 100; round++) {
      const plan = randomProfile(next, ["read", "clone", "personality", "ioctl"], 1);
      compare(plan, { libseccomp: true, numbers: sampleNumbers, rounds: 40 });
    }
  });

  test("several actions for one call, as long as no call can meet both", () => {
    const apart = [
      [argument(0, "EQ", 1n), argument(0, "NE", 1n)],
      [argument(0, "LT", 9n), argument(0, "GE", 9n)],
      [argument(0, "LE", 9n), argument(0, "GT", 16n)],
      [argument(0, "MASKED_EQ", 0xffn, 1n), argument(0, "MASKED_EQ", 0xfn, 2n)],
      [argument(0, "MASKED_EQ", 0xffn, 1n), argument(0, "EQ", 0x102n)],
      [argument(0, "LT", 0n), argument(0, "GE", 0n)],
    ] as const;
    for (const [one, other] of apart) {
      const syscalls = [errno(5, ["read"], one), errno(6, ["read"], other)];
      compare(planned({ defaultAction: "SCMP_ACT_ALLOW", syscalls }), {
        libseccomp: false,
        numbers: sampleNumbers,
        rounds: 40,
      });
    }
  });
});

test("a rule without conditions goes before those that have some, the first of several before the others", () => {
  const conditional = errno(5, ["read"], argument(0, "EQ", 1n));
  for (const syscalls of [
    [conditional, errno(6, ["read"])],
    [errno(6, ["read"]), conditional],
    [errno(6, ["read"]), errno(7, ["read"])],
  ]) {
    const plan = planned({ defaultAction: "SCMP_ACT_ALLOW", syscalls });
    compare(plan, { libseccomp: true, numbers: sampleNumbers, rounds: 10 });
  }
});

test("what only libseccomp can say is left to it: contradictions, and architectures without a table", () => {
  const both = [errno(5, ["read"], argument(0, "EQ", 1n)), errno(6, ["read"], argument(1, "EQ", 1n))];
  expect(compileTree(planned({ defaultAction: "SCMP_ACT_ALLOW", syscalls: both }))).toBeUndefined();
  const riscv = { ...planned({ defaultAction: "SCMP_ACT_ALLOW" }), architectures: ["RISCV64"] as const };
  expect(compileTree(riscv)).toBeUndefined();
});

test("a profile with thousands of conditions keeps every jump in reach", () => {
  const many = Array.from({ length: 300 }, (_, index) =>
    errno(5, ["ioctl"], argument(1, "EQ", BigInt(index * 7) + 2n ** 33n)),
  );
  const plan = planned({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [errno(6, ["read", "getpid"]), ...many],
  });
  compare(plan, { libseccomp: false, numbers: sampleNumbers, rounds: 100 });
});
