import { expect, test } from "bun:test";
import { listing } from "../../ffi/program/listing.ts";
import { newProgram } from "../../ffi/program/program.ts";
import { planNamespaces } from "../linux/namespaces/plan.ts";
import { recordAwaitHooks } from "./await-hooks.ts";

function steps(...namespaces: Parameters<typeof planNamespaces>[0]): string[] {
  const program = newProgram();
  recordAwaitHooks(program, planNamespaces(namespaces), 3);
  return listing(program);
}

test("init can be joined while it waits for hooks, and only then", () => {
  expect(steps({ type: "pid" })).toEqual([
    "@hooks prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)",
    "@hooks write(3, {hooks}, 8)",
    "@hooks $1=read(3, {8 bytes}, 1)",
    "@hooks expect($1 == 1, EPIPE)",
    "@hooks prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)",
  ]);
});

test("in a pid namespace that was joined nobody may look into init at any time", () => {
  expect(steps({ type: "pid", path: "/proc/1/ns/pid" })).toEqual([
    "@hooks write(3, {hooks}, 8)",
    "@hooks $1=read(3, {8 bytes}, 1)",
    "@hooks expect($1 == 1, EPIPE)",
    "@hooks prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)",
  ]);
});
