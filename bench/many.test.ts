import { expect, test } from "bun:test";
import { curveOf, stretches } from "./many.ts";

test.each([
  [
    1000,
    [
      [0, 9],
      [90, 99],
      [990, 999],
    ],
  ],
  [
    100,
    [
      [0, 9],
      [90, 99],
    ],
  ],
  [
    50,
    [
      [0, 9],
      [40, 49],
    ],
  ],
  [10, [[0, 9]]],
])("of %i containers these are shown", (count, expected) => {
  expect(stretches(count)).toEqual(expected as [number, number][]);
});

test("a curve has the medians of neighbours", () => {
  const times = Array.from({ length: 50 }, (_, index) => (index < 48 ? 7 : 100 + index));
  const curve = curveOf("bunc", times);
  expect(curve).toHaveLength(25);
  expect(curve[0]).toEqual({ runtime: "bunc", beside: 0.5, milliseconds: 7 });
  expect(curve.at(-1)).toEqual({ runtime: "bunc", beside: 48.5, milliseconds: 148.5 });
});
