import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SECCOMP_ARCH, SECCOMP_RET, X32_SYSCALL_BIT } from "../../../ffi/constants/seccomp.ts";
import { readFile, writeFile } from "../../../ffi/file.ts";
import { decide } from "../../../test/support/bpf.ts";
import { allow, argument, errno, meaning, planned } from "../../../test/support/seccomp.ts";
import { cacheKey } from "./cache.ts";
import { loadFilter, planText, treeVersion } from "./compile.ts";
import { compileWithLibseccomp } from "./libseccomp.ts";
import { callNumbers } from "./numbers.ts";
import { compileTree } from "./tree.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "seccomp-"));
});
afterAll(() => rmSync(root, { recursive: true }));

const simple = planned({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [allow(["read", "write"])] });
const contradictory = planned({
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [errno(5, ["read"], argument(0, "EQ", 1n)), errno(6, ["read"], argument(1, "EQ", 1n))],
});

test("the second time the filter comes from the cache", () => {
  const directory = join(root, "twice");
  const first = loadFilter(simple, directory);
  expect(first).toEqual(compileTree(simple) ?? new Uint8Array());
  const [name = "none", ...others] = readdirSync(directory);
  expect(others).toEqual([]);
  // Another filter under the same name, whole and with its own digest, tells which of the two was taken.
  const other = join(root, "other");
  loadFilter(contradictory, other);
  writeFile(join(directory, name), readFile(join(other, readdirSync(other)[0] ?? "none")));
  expect(loadFilter(simple, directory)).toEqual(compileWithLibseccomp(contradictory));
});

test("a damaged entry is compiled again and replaced", () => {
  const directory = join(root, "damaged");
  const filter = loadFilter(simple, directory);
  const path = join(directory, readdirSync(directory)[0] ?? "none");
  const whole = readFile(path);
  writeFile(path, whole.subarray(0, 56));
  expect(loadFilter(simple, directory)).toEqual(filter);
  expect(readFile(path)).toEqual(whole);
});

test("what bunc's compiler does not cover is compiled by libseccomp, and cached too", () => {
  const directory = join(root, "libseccomp");
  const filter = loadFilter(contradictory, directory);
  expect(filter).toEqual(compileWithLibseccomp(contradictory));
  expect(readdirSync(directory).length).toBe(1);
  expect(loadFilter(contradictory, directory)).toEqual(filter);
});

test("without a directory, or one that cannot be used, the filter is the same", () => {
  const logged: string[] = [];
  const filter = loadFilter(simple, undefined);
  expect(loadFilter(simple, "/proc/nothing", (line) => logged.push(line))).toEqual(filter);
  expect(logged.length).toBe(1);
});

test("plans that differ have texts that differ", () => {
  const base = { defaultAction: "SCMP_ACT_ERRNO" } as const;
  const texts = [
    simple,
    contradictory,
    planned({ ...base, syscalls: [allow(["read"]), allow(["write"])] }),
    planned({ ...base, syscalls: [allow(['read","write'])] }),
    planned({ ...base, defaultErrnoRet: 38, syscalls: [allow(["read", "write"])] }),
    planned({ ...base, architectures: ["SCMP_ARCH_X86"], syscalls: [allow(["read", "write"])] }),
    planned({ ...base, syscalls: [allow(["read", "write"], argument(0, "EQ", 1n))] }),
    planned({ ...base, syscalls: [allow(["read", "write"], argument(0, "NE", 1n))] }),
    planned({ ...base, syscalls: [allow(["read", "write"], argument(0, "MASKED_EQ", 1n, 1n))] }),
  ].map(planText);
  expect(new Set(texts).size).toBe(texts.length);
});

test("libseccomp's filters answer ENOSYS to newer calls too", () => {
  const plan = planned({
    defaultAction: "SCMP_ACT_KILL_PROCESS",
    architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM"],
    syscalls: [allow(["read", "openat", "prctl", "set_tls"])],
  });
  const filter = compileWithLibseccomp(plan);
  const { X86_64, X86, ARM, AARCH64 } = SECCOMP_ARCH;
  const calls = new Map<number, number[]>([
    [X86_64, [0, 1, 257, 258, 600, X32_SYSCALL_BIT, X32_SYSCALL_BIT + 257, X32_SYSCALL_BIT + 258]],
    [X86, [3, 4, 295, 296, 600]],
    [ARM, [3, 4, 322, 323, 600, 0xf0005, 0xf0006]],
    [AARCH64, [63]],
  ]);
  for (const [architecture, numbers] of calls) {
    for (const number of numbers) {
      const call = { architecture, number, args: [] };
      const { action } = decide(filter, call);
      expect([architecture, number, action]).toEqual([architecture, number, ...meaning(plan, call)]);
    }
  }
});

test("what would be too long for the kernel is left to libseccomp, which is shorter where an argument has many values", () => {
  const syscalls = Array.from({ length: 2000 }, (_, value) =>
    errno(5, ["ioctl"], argument(1, "EQ", BigInt(value))),
  );
  const plan = planned({ defaultAction: "SCMP_ACT_ALLOW", syscalls });
  expect(compileTree(plan)).toBeUndefined();
  const filter = loadFilter(plan, undefined);
  expect(filter.length / 8).toBeLessThan(4096);
  const ioctl = (value: bigint) => decide(filter, { ...call, args: [3n, value] }).action;
  const call = { architecture: SECCOMP_ARCH.X86_64, number: callNumbers("X86_64").get("ioctl") ?? 0 };
  expect([ioctl(1999n), ioctl(2000n)]).toEqual([SECCOMP_RET.ERRNO + 5, SECCOMP_RET.ALLOW]);
});

test("what libseccomp refuses is refused in words", () => {
  const twice = planned({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [errno(5, ["read"], argument(0, "EQ", 1n)), errno(6, ["read"], argument(0, "EQ", 1n))],
  });
  const failure = (() => {
    try {
      return loadFilter(twice, undefined);
    } catch (error) {
      return error as Error;
    }
  })() as Error;
  expect(failure.message).toBe("linux.seccomp cannot be compiled");
  expect(failure.cause).toMatchObject({ call: "seccomp_rule_add_array", errno: 17 });
});

test("a compiler that makes other filters has another version", () => {
  // When this fails: change treeVersion with the digest, or old caches give old filters.
  const names = (["X86_64", "X86", "AARCH64", "ARM"] as const).flatMap((each) => [
    ...callNumbers(each).keys(),
  ]);
  const profile = planned({
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [...names.map((name, index) => (index % 2 === 0 ? allow([name]) : errno(2, [name])))],
  });
  const plan = { ...profile, architectures: ["X86_64", "X86", "X32", "AARCH64", "ARM"] as const };
  const comparisons = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"] as const;
  const conditional = planned({
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86"],
    syscalls: comparisons.map((op, index) => errno(5, ["socket"], argument(index % 6, op, 9n, 1n))),
  });
  const digest = cacheKey([plan, conditional].map(compileTree).join("\n")).slice(0, 16);
  expect(`${treeVersion} ${digest}`).toBe("bunc 2 11b6a4ac9fdea6a3");
});
