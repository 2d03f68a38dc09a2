import { expect, test } from "bun:test";
import type { Seccomp, SeccompArgument } from "../../spec/seccomp.ts";
import { isListening, type PlannedFilter, planAgent, planSeccomp, type SeccompContext } from "./plan.ts";

function planned(config: Seccomp, arch: SeccompContext["arch"] = "x64"): PlannedFilter {
  const plan = planSeccomp(config, { arch });
  if (plan.kind !== "filter") throw new Error("no filter");
  return plan;
}

function argument(
  index: number,
  op: SeccompArgument["op"],
  value: bigint,
  valueTwo?: bigint,
): SeccompArgument {
  return valueTwo === undefined ? { index, op, value } : { index, op, value, valueTwo };
}

const all = 0xffff_ffff_ffff_ffffn;

test("no profile is no filter", () => {
  expect(planSeccomp(undefined, { arch: "x64" })).toEqual({ kind: "none" });
});

test("a profile is resolved to numbers, and frozen", () => {
  const plan = planned({
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 38,
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
    flags: ["SECCOMP_FILTER_FLAG_LOG"],
    syscalls: [{ names: ["read", "nosuchcall"], action: "SCMP_ACT_ALLOW" }],
  });
  expect(plan).toEqual({
    kind: "filter",
    defaultAction: 0x0005_0026,
    architectures: ["X86_64", "X86"],
    flags: 2,
    rules: [{ names: ["read", "nosuchcall"], action: 0x7fff_0000, conditions: [] }],
    newer: "default",
  });
  expect([plan, plan.architectures, plan.rules, plan.rules[0]].every(Object.isFrozen)).toBe(true);
});

test("every action has its number; ERRNO and TRACE return EPERM unless told otherwise", () => {
  const action = (name: Seccomp["defaultAction"]) => planned({ defaultAction: name }).defaultAction;
  expect(action("SCMP_ACT_KILL")).toBe(0);
  expect(action("SCMP_ACT_KILL_THREAD")).toBe(0);
  expect(action("SCMP_ACT_KILL_PROCESS")).toBe(0x8000_0000);
  expect(action("SCMP_ACT_TRAP")).toBe(0x0003_0000);
  expect(action("SCMP_ACT_ERRNO")).toBe(0x0005_0001);
  expect(action("SCMP_ACT_TRACE")).toBe(0x7ff0_0001);
  expect(action("SCMP_ACT_ALLOW")).toBe(0x7fff_0000);
  expect(action("SCMP_ACT_LOG")).toBe(0x7ffc_0000);
  expect(action("SCMP_ACT_NOTIFY")).toBe(0x7fc0_0000);
  const rule = planned({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["read"], action: "SCMP_ACT_TRACE", errnoRet: 7 }],
  }).rules[0];
  expect(rule?.action).toBe(0x7ff0_0007);
});

test("the machine's own architecture is there without being named", () => {
  const config: Seccomp = {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X86"],
  };
  expect(planned(config).architectures).toEqual(["X86_64", "X86"]);
  expect(planned(config, "arm64").architectures).toEqual(["AARCH64"]);
  expect(planned({ defaultAction: "SCMP_ACT_ALLOW" }).architectures).toEqual(["X86_64"]);
});

test("architectures of other machines say nothing here", () => {
  const architectures: Seccomp["architectures"] = [
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_ARM",
    "SCMP_ARCH_X32",
    "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_X86",
  ];
  const config: Seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures };
  expect(planned(config).architectures).toEqual(["X86_64", "X32", "X86"]);
  expect(planned(config, "arm64").architectures).toEqual(["AARCH64", "ARM"]);
});

test("flags: speculation is allowed unless a list is given, even an empty one", () => {
  const flags = (names: Seccomp["flags"]) =>
    planned(names ? { defaultAction: "SCMP_ACT_ALLOW", flags: names } : { defaultAction: "SCMP_ACT_ALLOW" })
      .flags;
  expect(flags(undefined)).toBe(4);
  expect(flags([])).toBe(0);
  expect(flags(["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"])).toBe(5);
});

test("WAIT_KILLABLE_RECV goes to the kernel only with a rule that notifies", () => {
  const config: Seccomp = {
    defaultAction: "SCMP_ACT_ALLOW",
    flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "SECCOMP_FILTER_FLAG_LOG"],
  };
  expect(planned(config).flags).toBe(2);
  const notifying: Seccomp = { ...config, syscalls: [{ names: ["mount"], action: "SCMP_ACT_NOTIFY" }] };
  expect(planned(notifying).flags).toBe(32 + 8 + 2);
});

test("conditions keep all 64 bits, and MASKED_EQ has its mask first", () => {
  const plan = planned({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [
      {
        names: ["clone"],
        action: "SCMP_ACT_ERRNO",
        args: [argument(0, "SCMP_CMP_MASKED_EQ", 0x7e02_0000n, 1n), argument(3, "SCMP_CMP_GE", all, 5n)],
      },
    ],
  });
  expect(plan.rules[0]?.conditions).toEqual([
    { index: 0, op: "MASKED_EQ", value: 1n, mask: 0x7e02_0000n },
    { index: 3, op: "GE", value: all, mask: all },
  ]);
});

test("several conditions on one argument are alternatives", () => {
  const plan = planned({
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [
      {
        names: ["personality"],
        action: "SCMP_ACT_ALLOW",
        args: [
          argument(0, "SCMP_CMP_EQ", 0n),
          argument(0, "SCMP_CMP_EQ", 8n),
          argument(1, "SCMP_CMP_EQ", 9n),
        ],
      },
    ],
  });
  expect(plan.rules.map(({ conditions }) => conditions.map(({ index, value }) => [index, value]))).toEqual([
    [[0, 0n]],
    [[0, 8n]],
    [[1, 9n]],
  ]);
});

test("calls newer than the profile get ENOSYS where the default would say something else", () => {
  const newer = (defaultAction: Seccomp["defaultAction"], defaultErrnoRet?: number) =>
    planned(defaultErrnoRet === undefined ? { defaultAction } : { defaultAction, defaultErrnoRet }).newer;
  expect(newer("SCMP_ACT_ERRNO")).toBe("enosys");
  expect(newer("SCMP_ACT_KILL_PROCESS")).toBe("enosys");
  expect(newer("SCMP_ACT_TRAP")).toBe("enosys");
  expect(newer("SCMP_ACT_ERRNO", 38)).toBe("default");
  expect(newer("SCMP_ACT_ALLOW")).toBe("default");
  expect(newer("SCMP_ACT_LOG")).toBe("default");
  expect(newer("SCMP_ACT_TRACE", 5)).toBe("default");
});

test("a rule that notifies asks for a listener, and the agent is told of", () => {
  const config: Seccomp = {
    defaultAction: "SCMP_ACT_ALLOW",
    listenerPath: "/agent",
    listenerMetadata: "m",
    flags: ["SECCOMP_FILTER_FLAG_TSYNC"],
  };
  // Nobody is notified: the path is ignored.
  expect(isListening(planned(config))).toBe(false);
  expect(planAgent(config, planned(config))).toBeNull();
  const notifying: Seccomp = { ...config, syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }] };
  expect(isListening(planned(notifying))).toBe(true);
  // TSYNC, NEW_LISTENER, and the error in place of the thread's number.
  expect(planned(notifying).flags).toBe(1 + 8 + 16);
  expect(planAgent(notifying, planned(notifying))).toEqual({ path: "/agent", metadata: "m" });
  const all: Seccomp = { ...config, defaultAction: "SCMP_ACT_NOTIFY" };
  expect(isListening(planned(all))).toBe(true);
  expect(planned(all).newer).toBe("default");
});
