import { expect, test } from "bun:test";
import { SECCOMP_RET } from "../../ffi/constants/seccomp.ts";
import { answeredCalls } from "../linux/root-emulation/calls.ts";
import { planSupervised } from "../linux/seccomp/emulation.ts";
import { answeredNumbers, superviseRoot } from "./supervise-root.ts";

test("what the filter asks about and what the supervisor answers are the same calls", () => {
  const { rules } = planSupervised({ arch: "x64" });
  const asked = rules.filter(({ action }) => action === SECCOMP_RET.USER_NOTIF).flatMap(({ names }) => names);
  expect([...new Set(asked)].sort()).toEqual(Object.keys(answeredCalls).sort());
});

test("a call is known by its architecture and number", () => {
  const x64 = answeredNumbers(["X86_64", "X86"]);
  const [amd64, i386] = [0xc000003e, 0x40000003];
  expect(x64.get(`${amd64}:4`)).toBe("stat");
  expect(x64.get(`${amd64}:260`)).toBe("fchownat");
  expect(x64.get(`${amd64}:332`)).toBe("statx");
  expect(x64.get(`${i386}:182`)).toBe("chown");
  expect(x64.get(`${i386}:195`)).toBe("stat64");
  expect(x64.get(`${i386}:383`)).toBe("statx");
  // Its structure is not the supervisor's: the kernel answers.
  expect(x64.has(`${i386}:106`)).toBe(false);
  const arm64 = answeredNumbers(["AARCH64", "ARM"]);
  const [aarch64, arm] = [0xc00000b7, 0x40000028];
  expect(arm64.get(`${aarch64}:79`)).toBe("newfstatat");
  expect(arm64.get(`${arm}:327`)).toBe("fstatat64");
  expect(arm64.has(`${arm}:106`)).toBe(false);
});

test("without a listener there is nothing to supervise, and nobody waits", () => {
  expect(superviseRoot()).toBeFalse();
});
