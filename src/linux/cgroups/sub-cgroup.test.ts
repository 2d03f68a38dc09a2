import { expect, test } from "bun:test";
import type { CgroupRecord } from "./cgroup-record.ts";
import { subCgroup } from "./sub-cgroup.ts";

const v2: CgroupRecord = { kind: "v2", path: "/sys/fs/cgroup/c" };
const v1: CgroupRecord = {
  kind: "v1",
  directories: [
    { controllers: "cpu,cpuacct", path: "/cpu/c" },
    { controllers: "name=systemd", path: "/systemd/c" },
    { controllers: "", path: "/unified/c" },
  ],
};

const paths = (record: CgroupRecord) =>
  record.kind === "v2" ? record.path : record.directories.map(({ path }) => path).join(" ");

test.each<[CgroupRecord, string[], string]>([
  [v2, [], "/sys/fs/cgroup/c"],
  [v2, ["a"], "/sys/fs/cgroup/c/a"],
  [v2, ["/a//b/."], "/sys/fs/cgroup/c/a/b"],
  [v2, ["/"], "/sys/fs/cgroup/c"],
  [v1, ["a"], "/cpu/c/a /systemd/c/a /unified/c/a"],
  [v1, ["cpu:a"], "/cpu/c/a /systemd/c /unified/c"],
  [v1, ["cpuacct,cpu:a", "systemd:b"], "/cpu/c/a /systemd/c/b /unified/c"],
  [v1, [":a"], "/cpu/c /systemd/c /unified/c/a"],
])("%#: %j", (record, written, expected) => {
  expect(paths(subCgroup(record, written))).toBe(expected);
});

test.each<[CgroupRecord, string, string]>([
  [v2, "..", '--cgroup ".." leads out of the container\'s cgroup: it must not have a ..'],
  [v2, "a/../../b", "leads out"],
  [v1, "cpu:../x", "leads out"],
  [v1, "memory:x", '"memory:x" names no hierarchy'],
  [v2, "memory:x", '"memory:x" names controllers'],
])("%# is refused: %s", (record, written, message) => {
  expect(() => subCgroup(record, [written])).toThrow(message);
});
