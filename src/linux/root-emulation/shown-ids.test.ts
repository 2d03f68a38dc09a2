import { expect, test } from "bun:test";
import { mapId, parseIdMap, ShownIds } from "./shown-ids.ts";

const map = parseIdMap("         0       1000          1\n         1     100000      65536\n");

test("an id is shown as the container's namespace maps it", () => {
  expect(map).toEqual([
    { inside: 0, outside: 1000, count: 1 },
    { inside: 1, outside: 100_000, count: 65_536 },
  ]);
  expect([1000, 100_000, 165_535].map((id) => mapId(id, map))).toEqual([0, 1, 65_536]);
});

test("one that it does not map is nobody", () => {
  expect([0, 1001, 165_536].map((id) => mapId(id, map))).toEqual([65_534, 65_534, 65_534]);
});

test("in our own namespace ids are what they are", () => {
  expect(new ShownIds().of(process.pid, 12, 34)).toEqual({ uid: 12, gid: 34 });
});
