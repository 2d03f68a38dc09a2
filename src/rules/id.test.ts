import { expect, test } from "bun:test";
import { SpecError } from "../spec/error.ts";
import { checkId } from "./id.ts";

test("ids that callers use", () => {
  for (const id of ["buildah-buildah2704110534", "a", "_", "A+b-c.d_e", "-x", "7".repeat(1024)]) {
    expect(() => checkId(id)).not.toThrow();
  }
});

test("ids that could lead elsewhere", () => {
  for (const id of ["", ".", "..", ".hidden", "a/b", "../a", "a b", "a\n", "a\0", "é", "a:b", "a*"]) {
    expect(() => checkId(id)).toThrow(SpecError);
  }
  expect(() => checkId("a\n/b")).toThrow(
    'container id is "a\\n/b": it must be letters, digits and _ + - . and not begin with a dot',
  );
  expect(() => checkId("x".repeat(1025))).toThrow("container id has 1025 characters: 1024 is the most");
});
