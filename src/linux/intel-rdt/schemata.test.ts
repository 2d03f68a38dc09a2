import { expect, test } from "bun:test";
import { findResctrl } from "./mountpoint.ts";
import { disagreement } from "./schemata.ts";

// As the kernel writes it: with a column's width of spaces.
const there = "    MB:0=100;1= 50\n    L3:0=fffff;1=000ff\n";

test("masks are numbers; what is not asked for may be anything", () => {
  expect(disagreement("L3:0=fffff;1=ff", there)).toBeUndefined();
  expect(disagreement("L3:1=00FF\nMB:1=50", there)).toBeUndefined();
  expect(disagreement("", there)).toBeUndefined();
});

test("what does not agree is named", () => {
  expect(disagreement("L3:0=ff", there)).toBe("L3:0 is fffff, not ff");
  expect(disagreement("MB:0=100;1=60", there)).toBe("MB:1 is 50, not 60");
  expect(disagreement("L2:0=f", there)).toBe("no L2:0");
  expect(disagreement("L3:2=f", there)).toBe("no L3:2");
});

test("where resctrl is mounted", () => {
  const line = (type: string, path: string) =>
    `31 23 0:28 / ${path} rw,relatime shared:5 - ${type} ${type} rw`;
  expect(findResctrl(line("cgroup", "/sys/fs/cgroup"))).toBe("");
  expect(findResctrl(`${line("tmpfs", "/tmp")}\n${line("resctrl", "/sys/fs/resctrl")}\n`)).toBe(
    "/sys/fs/resctrl",
  );
  expect(findResctrl(line("resctrl", "/a\\040b"))).toBe("/a b");
  expect(findResctrl("")).toBe("");
});
