import { expect, test } from "bun:test";
import { cgroupLayout, fileSystemOf, parseMounts } from "./machine.ts";

const line = (target: string, type: string) =>
  `31 23 0:28 / ${target} rw,relatime shared:9 - ${type} ${type} rw,mode=755\n`;
const root = line("/", "ext4");

test.each([
  ["v2", "/sys/fs/cgroup", [line("/sys/fs/cgroup", "cgroup2")]],
  [
    "hybrid",
    "/sys/fs/cgroup/unified",
    [
      line("/sys/fs/cgroup", "tmpfs"),
      line("/sys/fs/cgroup/pids", "cgroup"),
      line("/sys/fs/cgroup/unified", "cgroup2"),
    ],
  ],
  ["v1", undefined, [line("/sys/fs/cgroup", "tmpfs"), line("/sys/fs/cgroup/pids", "cgroup")]],
  [
    "v2",
    "/sys/fs/cgroup",
    [
      line("/sys/fs/cgroup", "tmpfs"),
      line("/sys/fs/cgroup/unified", "cgroup2"),
      line("/sys/fs/cgroup", "cgroup2"),
    ],
  ],
] as const)("the %s layout, with its unified tree at %s, is seen", (layout, unified, lines) => {
  expect(cgroupLayout(parseMounts(root + lines.join("")))).toEqual({ layout, unified });
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
