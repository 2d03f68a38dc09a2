import { describe, expect, test } from "bun:test";
import { compile } from "./image.ts";
import { newProgram } from "./program.ts";

describe("memory", () => {
  test("a text is kept once, and encoded", () => {
    const program = newProgram();
    const street = program.text("Straße");
    expect(program.text("Straße")).toBe(street);
    expect(street.size).toBe(8);
    expect(program.text("next").offset).toBe(8);
    expect(new TextDecoder().decode(program.memory.text.bytes.subarray(0, 13))).toBe("Straße\0next\0");
  });

  test("a text with a NUL inside is refused: the kernel would read a shorter one than was checked", () => {
    expect(() => newProgram().text("a\0b")).toThrow('a string with a NUL inside: "a\\u0000b"');
    expect(() => newProgram().chdir("/\0")).toThrow(RangeError);
  });

  test("many texts and structs outgrow what was set aside", () => {
    const program = newProgram();
    const long = "x".repeat(20_000);
    for (let i = 0; i < 2000; i++) program.chdir(`${i}/${i === 1000 ? long : ""}`);
    expect(program.text(`1000/${long}`).size).toBe(20_006);
    program.data(new Uint8Array(5000).fill(1));
    program.exit_group(0);
    expect(compile(program).length).toBeGreaterThan(2000 * 64);
  });

  test("structs are copies, aligned to 8", () => {
    const program = newProgram();
    program.text("abc");
    const bytes = Uint8Array.of(1, 2, 3);
    const [first, second] = [program.constant(bytes), program.constant(bytes)];
    bytes.fill(9);
    expect([first.offset, second.offset]).toEqual([8, 16]);
    expect([...program.memory.text.bytes.subarray(8, 11)]).toEqual([1, 2, 3]);
    expect(program.space(3).offset).toBe(0);
    expect(program.space(3).offset).toBe(8);
  });

  test("addresses stay inside their data", () => {
    const program = newProgram();
    const data = program.data(new Uint8Array(16));
    expect(data.at(8).at(4)).toEqual(expect.objectContaining({ offset: 12, size: 4 }));
    expect(() => data.at(17)).toThrow(RangeError);
    expect(() => data.at(8).at(-1)).toThrow(RangeError);
    expect(() => program.store(data.at(12), 1, 8)).toThrow("8 bytes do not fit into 4");
    expect(() => program.link(data.at(12), data)).toThrow(RangeError);
    expect(() => program.link(program.space(8), data)).toThrow("space has none");
    expect(() => program.store(program.text("text"), 1, 4)).toThrow("must be data or space");
  });
});

describe("steps", () => {
  test("only integers of 64 bits are arguments, for a number safe ones", () => {
    const program = newProgram();
    for (const value of [
      0.5,
      Number.NaN,
      2 ** 53,
      -(2 ** 53),
      Number.POSITIVE_INFINITY,
      2n ** 64n,
      -(2n ** 63n) - 1n,
    ]) {
      expect(() => program.exit_group(value)).toThrow("an integer of 64 bits");
    }
    for (const value of [2 ** 53 - 1, -(2 ** 53) + 1, 2n ** 64n - 1n, -(2n ** 63n)])
      program.exit_group(value);
  });

  test("a step has one result register, and one path for errors", () => {
    const program = newProgram();
    const step = program.getpid().into(program.register("pid"));
    expect(() => step.into(program.register("other"))).toThrow("has a register already");
    expect(() => program.close(1).ignore(1).ignore(2)).toThrow("have a path already");
    expect(() => program.close(1).ignore(1, 2, 3, 4, 5, 6, 7)).toThrow("at most 6");
    expect(() => program.close(1).ignore(0)).toThrow("from 1 to 255");
    expect(() => program.close(1).ignore(300)).toThrow("from 1 to 255");
  });

  test("a step of another program is no argument", () => {
    const step = newProgram().getpid();
    expect(() => newProgram().kill(step, 9)).toThrow("belongs to another program");
  });

  test("jumps only go forward, to a place that is there once", () => {
    const program = newProgram();
    const label = program.label("there");
    program.place(label);
    expect(() => program.jump(label)).toThrow("label there is placed already");
    expect(() => program.close(1).orJump(label)).toThrow("jumps only go forward");
    expect(() => program.place(label)).toThrow("placed twice");
  });
});

describe("compile refuses", () => {
  test("a program that can run past its end", () => {
    const empty = newProgram();
    expect(() => compile(empty)).toThrow("without steps");

    const open = newProgram();
    open.because("mounts[3]");
    open.getpid();
    expect(() => compile(open)).toThrow("step 0 (mounts[3]: getpid): the program can run past its last step");

    const ignoring = newProgram();
    ignoring.execve("/bin/sh", null, null).ignore();
    expect(() => compile(ignoring)).toThrow("past its last step");

    const jumping = newProgram();
    const end = jumping.label("end");
    jumping.close(1).orJump(end);
    jumping.exit_group(0);
    jumping.place(end);
    expect(() => compile(jumping)).toThrow("past its last step");
  });

  test("but not for what cannot be reached", () => {
    const program = newProgram();
    program.exit_group(0);
    program.getpid();
    compile(program);
  });

  test("a jump to a label that is nowhere", () => {
    const program = newProgram();
    program.close(1).orJump(program.label("nowhere"));
    program.exit_group(0);
    expect(() => compile(program)).toThrow("label nowhere is never placed");
  });

  test("a register that is read before it is written, or perhaps never is", () => {
    const unset = newProgram();
    const early = unset.register("early");
    unset.close(early);
    unset.getpid().into(early);
    unset.exit_group(early);
    expect(() => compile(unset)).toThrow("step 0 (close): no step before it writes the register early");

    const perhaps = newProgram();
    const fd = perhaps.register("fd");
    perhaps.openat(-100, "/x", 0, 0).into(fd).ignore();
    perhaps.close(fd);
    perhaps.exit_group(0);
    expect(() => compile(perhaps)).toThrow("give it an initial value");
  });

  test("more than 255 registers at a time", () => {
    const program = newProgram();
    for (let i = 0; i < 300; i++) program.register(`r${i}`, i);
    for (const register of program.registers) program.close(register);
    program.exit_group(0);
    expect(() => compile(program)).toThrow("255 registers at a time");
  });
});
