import { expect, test } from "bun:test";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram } from "../../../ffi/program/program.ts";
import { recordExecuteHook } from "./record.ts";

test("a hook is executed by its path alone, with its arguments and environment", () => {
  const program = newProgram();
  const origin = "hooks.createContainer[1]";
  recordExecuteHook(program, { origin, path: "/h", args: ["h", "x"], env: ["A=1"], timeout: null });
  expect(listing(program)).toEqual(['@hooks.createContainer[1] execve("/h", ["h", "x"], ["A=1"])']);
});
