import { expect, test } from "bun:test";
import { cgroupLayout, fileSystemOf, parseMounts } from "./machine.ts";

const line = (target: string, type: string) =>
  `31 23 0:28 / ${target} rw,relatime shared:9 - ${type} ${type} rw,mode=755\n`;
const root = line("/", "ext4");

test.each([
  ["v2", [line("/sys/fs/cgroup", "cgroup2")]],
  [
    "hybrid",
    [
      line("/sys/fs/cgroup", "tmpfs"),
      line("/sys/fs/cgroup/pids", "cgroup"),
      line("/sys/fs/cgroup/unified", "cgroup2"),
    ],
  ],
  ["v1", [line("/sys/fs/cgroup", "tmpfs"), line("/sys/fs/cgroup/pids", "cgroup")]],
  [
    "v2",
    [
      line("/sys/fs/cgroup", "tmpfs"),
      line("/sys/fs/cgroup/unified", "cgroup2"),
      line("/sys/fs/cgroup", "cgroup2"),
    ],
  ],
] as const)("the %s layout is seen", (layout, lines) => {
  expect(cgroupLayout(parseMounts(root + lines.join("")))).toBe(layout);
});

test("a path is on the innermost mount that holds it", () => {
  const mounts = parseMounts(root + line("/run", "tmpfs") + line("/run/lock", "ramfs"));
  expect(["/run/x", "/runner", "/run/lock/y", "/"].map((path) => fileSystemOf(path, mounts))).toEqual([
    "tmpfs",
    "ext4",
    "ramfs",
    "ext4",
  ]);
});
