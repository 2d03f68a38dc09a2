import { expect, test } from "bun:test";
import { describeHang } from "./hang.ts";

const surroundings = { pid: 7, init: 0, bundle: undefined, inUserNamespace: false };

test("how to look around, and to go on", () => {
  expect(describeHang("create c", { ...surroundings, bundle: "/b" })).toEqual([
    "stopped before create c: process 7",
    "the bundle is /b",
    "to see what it sees: nsenter --all --target 7",
    "to go on: kill -CONT 7",
  ]);
});

test("in a user namespace, ids stay as they are", () => {
  expect(describeHang("start c", { ...surroundings, init: 8, inUserNamespace: true })).toEqual([
    "stopped before start c: process 7",
    "to see what it sees: nsenter --all --preserve-credentials --target 7",
    "to look into the container: nsenter --all --preserve-credentials --target 8",
    "to go on: kill -CONT 7",
  ]);
});
