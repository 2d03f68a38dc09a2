import { expect, test } from "bun:test";
import { cgroupOwner } from "./owner.ts";

const mount = { source: "cgroup", destination: "/sys/fs/cgroup", type: "cgroup", options: ["nosuid"] };
const context = { newCgroupNamespace: true, mounts: [mount], uid: 1000, caller: 0 };

test("a cgroup that is the root of what the container sees, and can write to, belongs to who runs in it", () => {
  expect(cgroupOwner(context)).toBe(1000);
  expect(cgroupOwner({ ...context, mounts: [{ ...mount, destination: "/sys/fs//cgroup/" }] })).toBe(1000);
});

test("any other stays the caller's", () => {
  expect(cgroupOwner({ ...context, newCgroupNamespace: false })).toBeUndefined();
  expect(cgroupOwner({ ...context, mounts: [] })).toBeUndefined();
  expect(cgroupOwner({ ...context, mounts: [{ ...mount, options: ["ro"] }] })).toBeUndefined();
  expect(cgroupOwner({ ...context, mounts: [{ ...mount, source: "/sys/fs/cgroup" }] })).toBeUndefined();
  expect(cgroupOwner({ ...context, uid: undefined })).toBeUndefined();
  expect(cgroupOwner({ ...context, uid: 0 })).toBeUndefined();
});
