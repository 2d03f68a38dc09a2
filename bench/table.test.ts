import { expect, test } from "bun:test";
import { figure, table } from "./table.ts";

test("a table is Markdown, with figures to the right", () => {
  expect(
    table(
      ["", "crun", "runc"],
      [
        ["create", "5.31", "23.9"],
        ["run /bin/true", "6"],
      ],
    ).split("\n"),
  ).toEqual([
    "|               | crun | runc |",
    "| ------------- | ---: | ---: |",
    "| create        | 5.31 | 23.9 |",
    "| run /bin/true |    6 |      |",
  ]);
});

test("a column is never narrower than Markdown's rule", () => {
  expect(table(["a", "b"], []).split("\n")).toEqual(["| a   |   b |", "| --- | --: |"]);
});

test.each([
  [0.606, "0.61"],
  [6.615, "6.62"],
  [9.999, "10.00"],
  [23.94, "23.9"],
  [106.4, "106"],
  [11481.2, "11481"],
])("%d is written %s", (value, text) => {
  expect(figure(value)).toBe(text);
});
