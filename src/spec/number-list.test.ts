import { expect, test } from "bun:test";
import { maskOf, readNumberList } from "./number-list.ts";

test("numbers and ranges, with spaces and empty entries as runc takes them", () => {
  expect(readNumberList("0-3,7")).toEqual([
    [0, 3],
    [7, 7],
  ]);
  expect(readNumberList(" 1 , 5-5,")).toEqual([
    [1, 1],
    [5, 5],
  ]);
  expect(readNumberList("")).toEqual([]);
});

test.each(["3-1", "a", "-1", "1-", "0x1", "1 2", "1-2-3", "99999", "all", "!0", "0-31:1/2"])(
  "%p is no list",
  (text) => {
    expect(readNumberList(text)).toBeUndefined();
  },
);

test("a mask has the bits of its ranges, whether they overlap or not", () => {
  expect(
    maskOf([
      [0, 3],
      [2, 4],
      [63, 64],
    ]),
  ).toEqual(Uint8Array.of(0x1f, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0, 0, 0, 0, 0, 0));
});
