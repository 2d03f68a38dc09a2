import { expect, test } from "bun:test";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram } from "../../../ffi/program/program.ts";
import { planMemoryPolicy } from "./plan.ts";
import { recordMemoryPolicy } from "./record.ts";

type Policy = Parameters<typeof planMemoryPolicy>[0];

test("every mode and flag has the kernel's number", () => {
  const modes: Policy["mode"][] = [
    "MPOL_DEFAULT",
    "MPOL_PREFERRED",
    "MPOL_BIND",
    "MPOL_INTERLEAVE",
    "MPOL_LOCAL",
    "MPOL_PREFERRED_MANY",
    "MPOL_WEIGHTED_INTERLEAVE",
  ];
  expect(modes.map((mode) => planMemoryPolicy({ mode }).mode)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  const flags: NonNullable<Policy["flags"]> = [
    "MPOL_F_NUMA_BALANCING",
    "MPOL_F_RELATIVE_NODES",
    "MPOL_F_STATIC_NODES",
  ];
  expect(flags.map((flag) => planMemoryPolicy({ mode: "MPOL_BIND", flags: [flag] }).mode)).toEqual([
    0x2002, 0x4002, 0x8002,
  ]);
});

test("nodes are a mask of which the kernel is told one bit more than there is", () => {
  const steps = (policy: Policy) => {
    const program = newProgram();
    recordMemoryPolicy(program, planMemoryPolicy(policy));
    return listing(program);
  };
  expect(planMemoryPolicy({ mode: "MPOL_BIND", nodes: "0,2-3" }).nodes).toEqual(
    Uint8Array.of(0x0d, 0, 0, 0, 0, 0, 0, 0),
  );
  expect(steps({ mode: "MPOL_BIND", nodes: "64" })).toEqual([
    "@linux.memoryPolicy set_mempolicy(2, {16 bytes}, 129)",
  ]);
  expect(steps({ mode: "MPOL_LOCAL" })).toEqual(["@linux.memoryPolicy set_mempolicy(4, NULL, 0)"]);
  expect(steps({ mode: "MPOL_PREFERRED", nodes: "" })).toEqual([
    "@linux.memoryPolicy set_mempolicy(1, NULL, 0)",
  ]);
});
