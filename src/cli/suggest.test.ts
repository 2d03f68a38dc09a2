import { expect, test } from "bun:test";
import { suggest } from "./suggest.ts";

const known = ["create", "start", "state", "kill", "delete"];

test.each([
  ["stat", "state"],
  ["crate", "create"],
  ["creat", "create"],
  ["tsart", "start"],
  ["del", "delete"],
  ["kil", "kill"],
])("%s may have been %s", (word, meant) => {
  expect(suggest(word, known)).toBe(` (did you mean ${meant}?)`);
});

test("nothing is suggested for what is not alike", () => {
  for (const word of ["ps", "checkpoint", "x", "", "update"]) expect(suggest(word, known)).toBe("");
});
