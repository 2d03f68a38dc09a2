import { expect, test } from "bun:test";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram } from "../../../ffi/program/program.ts";
import { planPersonality } from "./plan.ts";
import { recordPersonality } from "./record.ts";

test("both domains are set, that of every process, too: the caller's may be another", () => {
  const program = newProgram();
  for (const domain of ["LINUX", "LINUX32"] as const) recordPersonality(program, planPersonality({ domain }));
  expect(listing(program)).toEqual([
    "@linux.personality personality(0)",
    "@linux.personality personality(8)",
  ]);
});
