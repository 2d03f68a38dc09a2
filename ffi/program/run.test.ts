import { describe, expect, test } from "bun:test";
import { machines, runProgram } from "../../test/support/programs.ts";
import { ERRNO } from "../constants/errno.ts";
import { AT, O } from "../constants/file.ts";
import { SIG } from "../constants/signal.ts";
import { decodeText } from "../memory.ts";
import { CLONE_ARGS_SIZE, cloneArgs } from "../structs/clone-args.ts";
import type { Program } from "./program.ts";

/** Records a write of a text. */
function say(program: Program, output: number, text: string): void {
  program.write(output, program.text(text), text.length);
}

function words(bytes: Uint8Array): bigint[] {
  return [...new BigInt64Array(bytes.buffer)];
}

describe.each([...machines])("on %s", (arch) => {
  test("a program runs to its end and says nothing", () => {
    const run = runProgram(arch, (program, output) => {
      say(program, output, "one ");
      say(program, output, "two");
      program.exit_group(42);
    });
    expect(decodeText(run.output, run.output.length)).toBe("one two");
    expect(run).toMatchObject({ status: 42, signal: 0, report: undefined });
  });

  test("a call that fails ends the program and is reported with its index and error number", () => {
    const run = runProgram(arch, (program, output) => {
      program.getpid();
      program.openat(AT.FDCWD, "/nonexistent/file", O.RDONLY, 0);
      say(program, output, "not reached");
      program.exit_group(0);
    });
    expect(run).toMatchObject({ status: 1, report: { step: 1, errno: ERRNO.ENOENT } });
    expect(run.output.length).toBe(0);
  });

  test("all six arguments arrive, in their order, from numbers and from registers", () => {
    const page = 0x1000;
    const run = runProgram(arch, (program, output) => {
      const [read, write, map] = [1, 2, { shared: 1, private: 2, anonymous: 0x20 }];
      const image = program.openat(AT.FDCWD, "/proc/self/exe", O.RDONLY | O.CLOEXEC, 0);
      const size = program.register("size", 2 * page);
      const offset = program.register("offset", page);
      const anywhere = program.mmap(0, size, read | write, map.private | map.anonymous, -1, 0);
      const fixed = 0x10;
      program.mmap(anywhere, page, read, map.private | fixed, image, offset);
      program.write(output, program.text("mapped"), 6);
      program.exit_group(0);
    });
    expect(decodeText(run.output, 6)).toBe("mapped");
    expect(run).toMatchObject({ status: 0, report: undefined });
  });

  test("ignored errors go on, also with a list, and leave the result's register alone", () => {
    const run = runProgram(arch, (program, output) => {
      const kept = program.register("kept", 7);
      program.close(999).into(kept).ignore();
      program.close(999).into(kept).ignore(1, 2, 3, 4, 5, ERRNO.EBADF);
      const memory = program.data(new Uint8Array(8));
      program.store(memory, kept, 8);
      program.write(output, memory, 8);
      program.close(999).ignore(ERRNO.ENOENT, ERRNO.EINTR);
      program.exit_group(0);
    });
    expect(words(run.output)).toEqual([7n]);
    expect(run.report).toEqual({ step: 4, errno: ERRNO.EBADF });
  });

  test("jumps: on listed errors, on any, on results, and always", () => {
    const run = runProgram(arch, (program, output) => {
      const [any, listed, positive, always] = ["any", "listed", "positive", "always"].map((name) =>
        program.label(name),
      );
      if (!any || !listed || !positive || !always) throw new Error();
      program.close(999).orJump(any);
      program.fail(1);
      program.place(any);
      say(program, output, "a");
      program.close(999).orJump(listed, ERRNO.ENOENT, ERRNO.EBADF);
      program.fail(2);
      program.place(listed);
      say(program, output, "b");
      program.getppid().ifNonZero(positive);
      program.fail(3);
      program.fail(3);
      program.place(positive);
      say(program, output, "c");
      program.chdir("/").ifNonZero(always);
      say(program, output, "d");
      program.jump(always);
      program.fail(4);
      program.place(always);
      say(program, output, "e");
      program.exit_group(0);
    });
    expect(decodeText(run.output, run.output.length)).toBe("abcde");
    expect(run).toMatchObject({ status: 0, report: undefined });
  });

  test("an error that is not in the list of a jump ends the program", () => {
    const run = runProgram(arch, (program) => {
      const label = program.label("label");
      program.close(999).orJump(label, ERRNO.ENOENT);
      program.place(label);
      program.exit_group(0);
    });
    expect(run.report).toEqual({ step: 0, errno: ERRNO.EBADF });
  });

  test("set takes any value, also one that looks like an error, and moves between registers", () => {
    const run = runProgram(arch, (program, output) => {
      const [first, second] = [program.register("first"), program.register("second")];
      program.set(-1).into(first);
      program.set(first).into(second);
      const memory = program.data(new Uint8Array(24));
      program.store(memory, second, 8);
      program.store(memory.at(8), 2n ** 64n - 2n, 8);
      program.store(memory.at(16), -(2 ** 40) - 5, 8);
      program.write(output, memory, 24);
      program.exit_group(0);
    });
    expect(words(run.output)).toEqual([-1n, -2n, -(2n ** 40n) - 5n]);
  });

  test("store writes 4 or 8 bytes and leaves its neighbours alone", () => {
    const run = runProgram(arch, (program, output) => {
      const memory = program.data(new Uint8Array(16).fill(0xff));
      const value = program.register("value", 0x1122_3344_5566);
      program.store(memory.at(4), value, 4);
      program.store(memory.at(8), value, 8);
      program.write(output, memory, 16);
      const space = program.space(12);
      program.store(space.at(8), 0x01020304, 4);
      program.write(output, space, 12);
      program.exit_group(0);
    });
    const bytes = [...run.output];
    expect(bytes.slice(0, 8)).toEqual([255, 255, 255, 255, 0x66, 0x55, 0x44, 0x33]);
    expect(bytes.slice(8, 16)).toEqual([0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0, 0]);
    expect(bytes.slice(16)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1]);
  });

  test("expect compares memory and registers under a mask", () => {
    const run = runProgram(arch, (program, output) => {
      const memory = program.data(Uint8Array.of(0x12, 0x34, 0x56, 0x78, 0xff, 0xff, 0xff, 0xff));
      program.expect(memory, 0xffff_ffff, 0x78563412, 5);
      program.expect(memory.at(0), -(2 ** 32), -1, 5);
      program.expect(memory, 0xff00, 0x3400, 5);
      const pid = program.getpid();
      program.expect(pid, -1, program.getpid(), 5);
      const wrong = program.label("wrong");
      program.expect(pid, -1, 0, 6).orJump(wrong, 6);
      program.fail(7);
      program.place(wrong);
      say(program, output, "so far");
      program.expect(memory, 0xff, 0x13, ERRNO.ESTALE);
      program.exit_group(0);
    });
    expect(decodeText(run.output, 6)).toBe("so far");
    expect(run.report).toEqual({ step: 9, errno: ERRNO.ESTALE });
  });

  test("fail reports its error, and obeys its own paths", () => {
    const run = runProgram(arch, (program) => {
      program.fail(ERRNO.EPERM).ignore();
      program.fail(ERRNO.EPERM).ignore(ERRNO.EPERM);
      program.fail(ERRNO.EXDEV);
    });
    expect(run.report).toEqual({ step: 2, errno: ERRNO.EXDEV });
  });

  test("a kernel structure can hold a descriptor that is known only then", () => {
    const run = runProgram(arch, (program, output) => {
      const pollIn = 1;
      const pollfd = program.data(Uint8Array.of(0, 0, 0, 0, pollIn, 0, 0, 0));
      program.store(pollfd, program.openat(AT.FDCWD, "/dev/zero", O.RDONLY, 0), 4);
      program.ppoll(pollfd, 1, null, null, 0);
      program.expect(pollfd, 0xffff_0000_0000_0000n, BigInt(pollIn) << 48n, ERRNO.EIO);
      say(program, output, "ready");
      program.exit_group(0);
    });
    expect(decodeText(run.output, 5)).toBe("ready");
    expect(run).toMatchObject({ status: 0, report: undefined });
  });

  test("failures are reported where the report register says", () => {
    const run = runProgram(arch, (program, output) => {
      program.set(output).into(program.report);
      program.fail(ERRNO.EIO);
    });
    expect(run).toMatchObject({ status: 1, report: undefined });
    expect([...new Uint32Array(run.output.buffer)]).toEqual([1, ERRNO.EIO]);
  });

  test("hundreds of registers share slots", () => {
    const run = runProgram(arch, (program, output) => {
      const sum = program.register("kept", 1234);
      for (let i = 0; i < 300; i++) {
        const fd = program.openat(AT.FDCWD, "/dev/null", O.RDONLY | O.CLOEXEC, 0);
        const copy = program.fcntl(fd, 0, 100);
        program.close(fd);
        program.close(copy);
      }
      const memory = program.data(new Uint8Array(8));
      program.store(memory, sum, 8);
      program.write(output, memory, 8);
      program.exit_group(0);
    });
    expect(words(run.output)).toEqual([1234n]);
    expect(run.report).toBeUndefined();
  });

  test("execve hands over with its vectors; success reports nothing", () => {
    const run = runProgram(arch, (program, output) => {
      program.dup3(output, 1, 0);
      const argv = program.vector(["sh", "-c", 'echo "$0 $1 $NAME"', "zero", "one"]);
      program.execve("/nonexistent/sh", argv, program.vector([])).ignore(ERRNO.ENOENT);
      program.execve("/bin/sh", argv, program.vector(["NAME=value"]));
    });
    expect(decodeText(run.output, run.output.length)).toBe("zero one value\n");
    expect(run).toMatchObject({ status: 0, report: undefined });
  });

  test("clone3: the parent jumps, the child goes on", () => {
    const run = runProgram(arch, (program, output) => {
      const [parent, unsupported] = [program.label("parent"), program.label("unsupported")];
      const pid = program.register("pid");
      const args = program.data(cloneArgs({ flags: 0, exitSignal: SIG.CHLD }));
      // The emulator has no clone3.
      program.clone3(args, CLONE_ARGS_SIZE).into(pid).ifNonZero(parent).orJump(unsupported, ERRNO.ENOSYS);
      say(program, output, "child;");
      program.exit_group(7);
      program.place(parent);
      const status = program.space(8);
      program.wait4(pid, status, 0, null);
      program.expect(status, 0xffff, 7 << 8, ERRNO.EIO);
      program.place(unsupported);
      say(program, output, "parent");
      program.exit_group(0);
    });
    const text = decodeText(run.output, run.output.length);
    expect(text).toBe(arch === process.arch ? "child;parent" : text);
    expect(text).toEndWith("parent");
    expect(run).toMatchObject({ status: 0, report: undefined });
  });

  test("a planted fault fails that step and no other, and its paths are obeyed", () => {
    const record = (program: Program) => {
      program.getpid();
      program.chdir("/").ignore(ERRNO.EIO);
      program.exit_group(0);
    };
    expect(runProgram(arch, record, { number: 0, errno: ERRNO.EIO }).report).toEqual({ step: 0, errno: 5 });
    expect(runProgram(arch, record, { number: 1, errno: ERRNO.EIO })).toMatchObject({
      status: 0,
      report: undefined,
    });
    expect(runProgram(arch, record, { number: 1, errno: ERRNO.EPERM }).report).toEqual({ step: 1, errno: 1 });
    expect(runProgram(arch, record, { number: 2, errno: ERRNO.EPERM }).report).toEqual({ step: 2, errno: 1 });
  });

  test("what was forgotten comes back", () => {
    const run = runProgram(arch, (program, output) => {
      const filling = program.constant(new Uint8Array(20_000).fill(9));
      for (let i = 0; i < 300; i++) program.getpid();
      const memory = program.data(new Uint8Array(8));
      program.store(memory, 77, 8);
      program.forget(1);
      program.getpid();
      for (let i = 0; i < 300; i++) program.getpid();
      program.write(output, memory, 8);
      program.write(output, filling.at(10_000), 8);
      program.exit_group(0);
    });
    expect(words(run.output)).toEqual([77n, 0x0909090909090909n]);
  });
});
