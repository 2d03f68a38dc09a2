import { expect, test } from "bun:test";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram } from "../../../ffi/program/program.ts";
import { planDevices } from "./plan.ts";
import { recordDevices } from "./record.ts";

function record(...args: Parameters<typeof planDevices>): string[] {
  const program = newProgram();
  const root = program.register("root", 9);
  recordDevices(program, root, planDevices(...args));
  return listing(program);
}

const none = { devBound: true, kcore: false };

test("a node is made beneath its opened directory, and one that is there must be the same device", () => {
  const fuse = { path: "/dev/fuse", type: "c", major: 10, minor: 229, uid: 5 } as const;
  expect(record([fuse], { ...none, userNamespace: false })).toEqual([
    '@linux.devices[0] (/dev/fuse) target /dev=openat2(root, "/dev", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_IN_ROOT}, 24) !ENOENT ≠0→have /dev',
    "make /dev:",
    '@linux.devices[0] (/dev/fuse) mkdirat(root, "dev", 0755) !EEXIST',
    '@linux.devices[0] (/dev/fuse) target /dev=openat2(root, "/dev", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_IN_ROOT}, 24)',
    "have /dev:",
    '@linux.devices[0] (/dev/fuse) mknodat(target /dev, "fuse", 020666, 2789) !EEXIST→/dev/fuse exists',
    '@linux.devices[0] (/dev/fuse) fchownat(target /dev, "fuse", 5, 0, AT_SYMLINK_NOFOLLOW)',
    "@linux.devices[0] (/dev/fuse) jump(/dev/fuse made)",
    "/dev/fuse exists:",
    '@linux.devices[0] (/dev/fuse) newfstatat(target /dev, "fuse", {144 bytes}, AT_SYMLINK_NOFOLLOW)',
    "@linux.devices[0] (/dev/fuse) expect({144 bytes}+24 & 0xf000 == 0x2000, EEXIST)",
    "@linux.devices[0] (/dev/fuse) expect({144 bytes}+40 == 2789, EEXIST)",
    "/dev/fuse made:",
    "@linux.devices[0] (/dev/fuse) close(target /dev)",
  ]);
});

test("in a user namespace the caller's node is bound, when it is the device that was asked for", () => {
  const steps = record([{ path: "/dev/fuse", type: "c", major: 10, minor: 229 }], {
    ...none,
    userNamespace: true,
  });
  expect(steps.slice(0, 4)).toEqual([
    '@linux.devices[0] (/dev/fuse) $1=open_tree(AT_FDCWD, "/dev/fuse", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)',
    '@linux.devices[0] (/dev/fuse) newfstatat($1, "", {144 bytes}, AT_EMPTY_PATH)',
    "@linux.devices[0] (/dev/fuse) expect({144 bytes}+24 & 0xf000 == 0x2000, ENODEV)",
    "@linux.devices[0] (/dev/fuse) expect({144 bytes}+40 == 2789, ENODEV)",
  ]);
  expect(steps.some((step) => step.includes("mknodat"))).toBe(false);
});

test("one directory is opened once for all that is in it", () => {
  const steps = record([], { userNamespace: false, devBound: false, kcore: true });
  expect(steps.filter((step) => step.includes("mknodat")).length).toBe(6);
  expect(steps.filter((step) => step.includes("symlinkat")).length).toBe(6);
  expect(steps.filter((step) => step.includes("have /dev:")).length).toBe(2);
});
