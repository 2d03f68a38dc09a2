import { expect, test } from "bun:test";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram } from "../../../ffi/program/program.ts";
import { planExecution } from "./plan.ts";
import { recordExecute, recordFindExecutable } from "./record.ts";

function record(args: string[], path: string): string[] {
  const program = newProgram();
  const plan = planExecution(args, [`PATH=${path}`, "HOME=/"], "/", { home: "/" });
  if (plan.kind !== "execute") throw new Error("nothing to execute");
  recordExecute(program, plan, recordFindExecutable(program, plan));
  return listing(program).map((line) => line.replace("@process.args[0] ", ""));
}

test("every directory of PATH is looked into at create, and executed from at start", () => {
  expect(record(["sh", "-c"], "/a:/b")).toEqual([
    'faccessat2(AT_FDCWD, "/a/sh", X_OK, AT_EACCESS) !any→not /a/sh',
    'newfstatat(AT_FDCWD, "/a/sh", {144 bytes}, 0)',
    "expect({144 bytes}+24 & 0xf000 == 0x8000, EACCES) !any→not /a/sh",
    'executable=set("/a/sh") ≠0→executable found',
    "not /a/sh:",
    'faccessat2(AT_FDCWD, "/b/sh", X_OK, AT_EACCESS)',
    'newfstatat(AT_FDCWD, "/b/sh", {144 bytes}, 0)',
    "expect({144 bytes}+24 & 0xf000 == 0x8000, EACCES)",
    'executable=set("/b/sh") ≠0→executable found',
    "executable found:",
    "not /b/sh:",
    'execve("/a/sh", ["sh", "-c"], ["PATH=/a:/b", "HOME=/"]) !ENOENT,ENOTDIR,EACCES,ELOOP,ENAMETOOLONG',
    'execve("/b/sh", ["sh", "-c"], ["PATH=/a:/b", "HOME=/"]) !ENOENT,ENOTDIR,EACCES,ELOOP,ENAMETOOLONG',
    'execve(executable, ["sh", "-c"], ["PATH=/a:/b", "HOME=/"])',
  ]);
});

test("a path is executed as it is", () => {
  expect(record(["./run"], "/a").at(-1)).toBe('execve(executable, ["./run"], ["PATH=/a", "HOME=/"])');
  expect(record(["./run"], "/a").filter((line) => line.startsWith("execve")).length).toBe(1);
});
