import { expect, test } from "bun:test";
import { capData, capHeader, readCapData } from "./capability.ts";
import { CLONE_ARGS, CLONE_ARGS_SIZE, cloneArgs } from "./clone-args.ts";
import { MOUNT_ATTR_SIZE, MOUNT_ATTR_USERNS, mountAttr } from "./mount-attr.ts";
import { OPEN_HOW_SIZE, openHow } from "./open-how.ts";
import { RLIM64_INFINITY, rlimit64 } from "./rlimit64.ts";
import { SCHED_ATTR_SIZE, schedAttr } from "./sched-attr.ts";
import { sockFprog } from "./sock-fprog.ts";
import { timespec } from "./timespec.ts";

const unsigned = (bytes: Uint8Array) => [...new BigUint64Array(bytes.slice().buffer)];

test("structs of 64-bit words", () => {
  expect(unsigned(openHow(0o10000000, 0o644, 0x10))).toEqual([0o10000000n, 0o644n, 0x10n]);
  expect(unsigned(mountAttr({ set: 1, clear: 0x70, propagation: 1 << 18, usernsFd: 9 }))).toEqual([
    1n,
    0x70n,
    1n << 18n,
    9n,
  ]);
  expect(unsigned(mountAttr({}))).toEqual([0n, 0n, 0n, 0n]);
  expect(unsigned(rlimit64(1024, RLIM64_INFINITY))).toEqual([1024n, 2n ** 64n - 1n]);
  expect(unsigned(timespec(-5, 999_999_999))).toEqual([2n ** 64n - 5n, 999_999_999n]);
  expect(unsigned(sockFprog(4096))).toEqual([4096n, 0n]);
});

test("one struct does not show through in the next", () => {
  rlimit64(-1, -1);
  expect(unsigned(timespec(1, 2))).toEqual([1n, 2n]);
});

test("sizes and offsets are the kernel's", () => {
  expect(openHow(0, 0, 0).length).toBe(OPEN_HOW_SIZE);
  expect(mountAttr({}).length).toBe(MOUNT_ATTR_SIZE);
  expect(mountAttr({ usernsFd: 7 })[MOUNT_ATTR_USERNS]).toBe(7);
  const args = cloneArgs({ flags: 0x8000, exitSignal: 17, cgroup: 5, setTidSize: 1 });
  expect(args.length).toBe(CLONE_ARGS_SIZE);
  expect(args[CLONE_ARGS.exitSignal]).toBe(17);
  expect(args[CLONE_ARGS.setTidSize]).toBe(1);
  expect(args[CLONE_ARGS.cgroup]).toBe(5);
  // CLONE_INTO_CGROUP is bit 33.
  expect(unsigned(args)[0]).toBe(0x2_0000_8000n);
});

test("struct sched_attr has fields of 32 and 64 bits", () => {
  const attr = {
    policy: 6,
    flags: 0x41,
    nice: -20,
    priority: 7,
    runtime: 1n,
    deadline: 2n,
    period: 2n ** 63n,
  };
  const bytes = schedAttr(attr);
  expect(bytes.length).toBe(SCHED_ATTR_SIZE);
  expect([...new Int32Array(bytes.slice(0, 24).buffer)]).toEqual([56, 6, 0x41, 0, -20, 7]);
  expect(unsigned(bytes.slice(24))).toEqual([1n, 2n, 2n ** 63n, 0n]);
});

test("capability sets are split into low and high words", () => {
  const sets = { effective: 1n | (1n << 40n), permitted: (1n << 41n) - 1n, inheritable: 0n };
  const bytes = capData(sets);
  expect([...new Uint32Array(bytes.slice().buffer)]).toEqual([1, 0xffff_ffff, 0, 256, 511, 0]);
  expect(readCapData(bytes)).toEqual(sets);
  expect([...new Uint32Array(capHeader(9).slice().buffer)]).toEqual([0x20080522, 9]);
});
