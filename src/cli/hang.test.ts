import { expect, test } from "bun:test";
import { describeHang } from "./hang.ts";

const surroundings = { pid: 7, own: [], init: 0, inits: [], bundle: undefined };

test("how to look around, and to go on", () => {
  expect(describeHang("create c", { ...surroundings, own: ["mnt"], bundle: "/b" })).toEqual([
    "stopped before create c: process 7",
    "the bundle is /b",
    "to see what it sees: nsenter --mount --target 7",
    "to go on: kill -CONT 7",
  ]);
  expect(describeHang("list", surroundings)).toEqual([
    "stopped before list: process 7",
    "to go on: kill -CONT 7",
  ]);
});

test("in a user namespace, ids stay as they are", () => {
  const own = ["user", "mnt"];
  expect(describeHang("start c", { ...surroundings, own, init: 8, inits: ["pid", "mnt", "user"] })).toEqual([
    "stopped before start c: process 7",
    "to see what it sees: nsenter --user --mount --preserve-credentials --target 7",
    "to look into the container: nsenter --user --mount --pid --preserve-credentials --target 8",
    "to go on: kill -CONT 7",
  ]);
});
