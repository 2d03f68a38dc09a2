import { expect, test } from "bun:test";
import { ERRNO } from "../../../ffi/constants/errno.ts";
import { PR } from "../../../ffi/constants/process.ts";
import { Descriptor, writeAll } from "../../../ffi/file.ts";
import { attempt, libc } from "../../../ffi/libc.ts";
import { compile } from "../../../ffi/program/image.ts";
import { sealImage, spawnImage } from "../../../ffi/program/launch.ts";
import { listing } from "../../../ffi/program/listing.ts";
import { newProgram, type Program } from "../../../ffi/program/program.ts";
import { allow, argument, errno, planned } from "../../../test/support/seccomp.ts";
import type { Seccomp } from "../../spec/seccomp.ts";
import { loadFilter } from "./compile.ts";
import { createFilterFile, fillFilterFile } from "./filter-file.ts";
import { compileWithLibseccomp } from "./libseccomp.ts";
import { type FilterSource, recordFilter, recordSeccomp } from "./record.ts";

test("the filter is one step, with the length and the address of the instructions in its sock_fprog", () => {
  const program = newProgram();
  const filter = new Uint8Array(8 * 300).fill(7);
  recordSeccomp(program, recordFilter(program, filter), 4);
  expect(listing(program)).toEqual([
    "@linux.seccomp seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, sock_fprog of 300 instructions)",
  ]);
  const [link] = program.memory.links;
  expect(link?.area).toBe("data");
  expect(link?.value.size).toBe(filter.length);
  expect(program.memory.data.bytes.slice(0, 8)).toEqual(new Uint8Array([44, 1, 0, 0, 0, 0, 0, 0]));
});

test("a filter that is too long for the kernel is refused in words", () => {
  const filter = new Uint8Array(8 * 4097);
  const message = "linux.seccomp compiles to 4097 instructions, and the kernel takes 4096";
  expect(() => recordFilter(newProgram(), filter)).toThrow(message);
  using file = createFilterFile();
  expect(() => fillFilterFile(file, filter)).toThrow(message);
});

/** The exit status of a process, in the form of wait4(2), that loads a filter and does something. */
function statusUnder(filter: FilterSource, flags: number, act: (program: Program) => void): number[] {
  const program = newProgram();
  program.prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  recordSeccomp(program, recordFilter(program, filter), flags);
  act(program);
  using image = new Descriptor(sealImage(compile(program)));
  const status = new Uint8Array(4);
  libc.wait4(spawnImage(image.fd, ["seccomp"], "fd" in filter ? [filter.fd] : []), status, 0, null);
  return [...status];
}

test("a process is under the filter from the step on, whether it had it from the start or reads it", () => {
  const plan = planned({
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    flags: ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
    syscalls: [errno(123, ["getppid"]), errno(124, ["personality"], argument(0, "EQ", 8n))],
  });
  const filter = loadFilter(plan, undefined);
  using file = createFilterFile();
  fillFilterFile(file, filter);
  for (const source of [filter, file]) {
    const status = statusUnder(source, plan.flags, (program) => {
      const denied = program.label("getppid denied");
      const deniedByArgument = program.label("personality denied");
      program.getppid().orJump(denied, 123);
      program.exit_group(1);
      program.place(denied);
      program.personality(8).orJump(deniedByArgument, 124);
      program.exit_group(2);
      program.place(deniedByArgument);
      program.personality(0xffff_ffff);
      program.exit_group(42);
    });
    expect(status).toEqual([0, 42, 0, 0]);
  }
});

test("a process whose file has no filter, or half of one, goes no further", () => {
  using empty = createFilterFile();
  using half = createFilterFile();
  writeAll(half.fd, new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0xff, 0x7f]));
  for (const file of [empty, half]) {
    const status = statusUnder(file, 0, (program) => program.exit_group(42));
    expect(status).toEqual([0, 1, 0, 0]);
  }
});

test("a filter's file cannot be changed any more when it has its filter", () => {
  using file = createFilterFile();
  fillFilterFile(file, new Uint8Array(8));
  expect(attempt.write(file.fd, new Uint8Array(1), 1)).toBe(-ERRNO.EPERM);
  expect(attempt.ftruncate(file.fd, 0)).toBe(-ERRNO.EPERM);
});

test("the kernel takes the filter of a whole profile", () => {
  const syscalls = [allow(["exit_group", "read"]), errno(1, ["socket"], argument(0, "EQ", 2n ** 40n))];
  const architectures: Seccomp["architectures"] = ["SCMP_ARCH_X86", "SCMP_ARCH_X32"];
  const plan = planned({ defaultAction: "SCMP_ACT_KILL_PROCESS", architectures, syscalls });
  for (const filter of [loadFilter(plan, undefined), compileWithLibseccomp(plan)]) {
    const status = statusUnder(filter, plan.flags, (program) => {
      program.getuid();
      program.exit_group(0);
    });
    // SIGSYS is 31; 128 says that a core was, or would have been, dumped.
    expect((status[0] ?? 0) & 127).toBe(31);
  }
});
