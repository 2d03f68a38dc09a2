import { expect, test } from "bun:test";
import { newProgram } from "../../../ffi/program/program.ts";
import { recordSeccomp } from "./record.ts";

test("the filter is one step, with the length and the address of the instructions in its sock_fprog", () => {
  const program = newProgram();
  const filter = new Uint8Array(8 * 300).fill(7);
  recordSeccomp(program, filter, 4);
  const [step, ...others] = program.steps;
  expect(others).toEqual([]);
  expect(step?.name).toBe("seccomp");
  expect(step?.operands.slice(0, 2)).toEqual([1, 4]);
  expect(program.origins[step?.origin ?? 0]).toBe("linux.seccomp");
  const link = program.memory.links[0];
  expect(link?.value.size).toBe(filter.length);
  expect(link?.target.area).toBe("data");
  expect(program.memory.areas.data.bytes.slice(0, 8)).toEqual(new Uint8Array([44, 1, 0, 0, 0, 0, 0, 0]));
});

test("a filter that is too long for the kernel is refused in words", () => {
  expect(() => recordSeccomp(newProgram(), new Uint8Array(8 * 4097), 0)).toThrow(
    "linux.seccomp: the profile compiles to 4097 instructions, and the kernel takes 4096",
  );
});
