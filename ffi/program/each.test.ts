import { describe, expect, test } from "bun:test";
import { machines, runProgram } from "../../test/support/programs.ts";
import { ERRNO } from "../constants/errno.ts";
import { AT, O } from "../constants/file.ts";
import { decodeText } from "../memory.ts";
import { compile } from "./image.ts";
import type { Arch } from "./layout.ts";
import { describeStep, listing } from "./listing.ts";
import { newProgram, type Program, type Register } from "./program.ts";

const paths = ["/etc/passwd", "/nonexistent", "/etc", "/dev/null", "/nonexistent/too"];

interface Look {
  readonly output: number;
  readonly arch: Arch;
  readonly stat: Register;
}

/** Opens a path if it is there, and writes a letter for what it is; every kind of argument and of jump is in it. */
function recordLook(program: Program, { output, arch, stat }: Look, path: string): void {
  const absent = program.label(`no ${path}`);
  const file = program.label(`${path} is no directory`);
  const found = program.register(`fd of ${path}`);
  program.openat(AT.FDCWD, path, O.PATH, 0).into(found).orJump(absent, ERRNO.ENOENT);
  const bytes = program.space(144);
  program.newfstatat(found, "", bytes, AT.EMPTY_PATH).into(stat);
  program.expect(bytes.at(arch === "arm64" ? 16 : 24), 0xf000, 0x4000, ERRNO.ENOTDIR).orJump(file);
  program.write(output, program.text("d"), 1);
  program.place(file);
  program.set(found).ifNonZero(absent);
  program.fail(ERRNO.EBADF);
  program.place(absent);
  program.write(output, program.text(path), 3);
}

/** The same, recorded for each path, or once. */
function recordAll(program: Program, output: number, arch: Arch, how: "each" | "one by one"): void {
  const look = { output, arch, stat: program.register("stat") };
  const record = (path: string) => recordLook(program, look, path);
  if (how === "each") program.each(paths, "paths", record);
  else {
    paths.forEach((path, index) => {
      program.because(`paths[${index}]`);
      record(path);
    });
  }
  program.because("end");
  program.exit_group(0);
}

function programOf(how: "each" | "one by one"): Program {
  const program = newProgram();
  recordAll(program, 1, "x64", how);
  return program;
}

// The one that was not recorded again has registers of its own for every text; their numbers are all that differs.
const withoutNumbers = (lines: string[]) => lines.map((line) => line.replaceAll(/\$\d+/g, "$"));

test("the listing is that of steps which were recorded one by one", () => {
  expect(withoutNumbers(listing(programOf("each")))).toEqual(
    withoutNumbers(listing(programOf("one by one"))),
  );
});

test("what is said of a step is what it does here, not where it was recorded", () => {
  const program = programOf("each");
  const image = compile(program);
  const own = program.steps.findIndex((step) => step.name === "newfstatat");
  const length = (program.steps.length - 1) / paths.length;
  for (const [index, path] of paths.entries()) {
    const said = describeStep(image, own + index * length);
    expect(said.origin).toBe(`paths[${index}]`);
    expect(said.call).toContain(`fd of ${path}`);
  }
});

test("steps that would not be the same for another text are refused", () => {
  const program = newProgram();
  const elsewhere = program.label("elsewhere");
  const different: ((path: string) => void)[] = [
    (path) => program.openat(AT.FDCWD, path, O.PATH, 0).orJump(elsewhere),
    (path) => program.openat(AT.FDCWD, path, O.PATH, 0).ifNonZero(elsewhere),
    (path) => program.execve(path, program.vector([path]), program.vector([])),
    () => program.forget(1),
  ];
  for (const record of different) expect(() => program.each(["/a"], "paths", record)).toThrow("each: steps");
});

test("no texts, no steps", () => {
  const program = newProgram();
  program.each([], "paths", () => program.getpid());
  expect(program.steps).toHaveLength(0);
});

test("a program that can run past its end in a later one of them is refused", () => {
  const program = newProgram();
  program.each(["/a", "/b"], "paths", (path) => {
    const absent = program.label("absent");
    program.openat(AT.FDCWD, path, O.PATH, 0).orJump(absent);
    program.exit_group(0);
    program.place(absent);
  });
  expect(() => compile(program)).toThrow("past its last step");
});

describe.each([...machines])("on %s", (arch) => {
  test("the steps do for each text what they did for the first", () => {
    const said = (["each", "one by one"] as const).map((how) => {
      const run = runProgram(arch, (program, output) => recordAll(program, output, arch, how));
      expect(run).toMatchObject({ status: 0, report: undefined });
      return decodeText(run.output, run.output.length);
    });
    expect(said[0]).toBe("/et/nod/et/de/no");
    expect(said[1]).toBe(said[0]);
  });

  test("it makes no difference that there are more registers than slots", () => {
    const run = runProgram(arch, (program, output) => {
      const passing = () => {
        for (let index = 1; index <= 200; index++)
          program.expect(program.set(index), -1, index, ERRNO.EINVAL);
      };
      passing();
      const look = { output, arch, stat: program.register("stat") };
      program.each(paths, "paths", (path) => recordLook(program, look, path));
      passing();
      program.exit_group(0);
    });
    expect(run).toMatchObject({ status: 0, report: undefined });
    expect(decodeText(run.output, run.output.length)).toBe("/et/nod/et/de/no");
  });

  test("a failure is reported with the index of the step that failed", () => {
    const run = runProgram(arch, (program) => {
      program.each(["/etc", "/nonexistent"], "paths", (path) => {
        program.close(program.openat(AT.FDCWD, path, O.PATH, 0));
      });
      program.exit_group(0);
    });
    expect(run).toMatchObject({ status: 1, report: { step: 2, errno: ERRNO.ENOENT } });
  });
});
