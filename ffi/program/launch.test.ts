import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ERRNO } from "../constants/errno.ts";
import { AT, F, F_SEAL, O } from "../constants/file.ts";
import { Descriptor, openFile, readInto, readText } from "../file.ts";
import { attempt, libc } from "../libc.ts";
import { openPipe, waitFor } from "../process.ts";
import { openHow } from "../structs/open-how.ts";
import { compile } from "./image.ts";
import { hideImage, sealImage, spawnImage } from "./launch.ts";
import { newProgram, type Program } from "./program.ts";

/** Starts a program that waits at a pipe, looks at its process, and lets it end. */
function whileWaiting(record: (program: Program) => void, look: (pid: number) => void): void {
  const [reader, writer] = openPipe();
  const program = newProgram();
  record(program);
  program.read(reader.fd, program.space(8), 1);
  program.exit_group(0);
  using file = new Descriptor(sealImage(compile(program)));
  const pid = spawnImage(file.fd, ["bunc: init test"], [reader.fd]);
  reader.close();
  try {
    // posix_spawn answers when the image is executed, which is before the program has come to its wait.
    for (let i = 0; i < 1000 && !readText(`/proc/${pid}/stat`).includes(") S "); i++) Bun.sleepSync(1);
    look(pid);
  } finally {
    writer.close();
    expect(waitFor(pid)).toEqual({ status: 0, signal: 0 });
  }
}

describe("a sealed image", () => {
  test("cannot be changed by anybody, and is close-on-exec", () => {
    using file = new Descriptor(sealImage(new Uint8Array(100).fill(7)));
    const all = F_SEAL.SEAL | F_SEAL.SHRINK | F_SEAL.GROW | F_SEAL.WRITE;
    expect(libc.fcntl(file.fd, F.GET_SEALS, 0) & all).toBe(all);
    expect(libc.fcntl(file.fd, F.GETFD, 0)).toBe(1);
    expect(attempt.write(file.fd, new Uint8Array(1), 1)).toBe(-ERRNO.EPERM);
    expect(attempt.ftruncate(file.fd, 0)).toBe(-ERRNO.EPERM);
  });

  test("can be an unlinked file where a memfd may not be executed", () => {
    const path = mkdtempSync(join(tmpdir(), "bunc-image-"));
    using directory = openFile(path, O.DIRECTORY);
    const program = newProgram();
    program.exit_group(9);
    using file = new Descriptor(hideImage(compile(program), [directory.fd]));
    expect(readdirSync(path)).toEqual([]);
    expect(libc.fcntl(file.fd, F.GETFL, 0) & 3).toBe(O.RDONLY);
    expect(waitFor(spawnImage(file.fd, ["hidden"], []))).toEqual({ status: 9, signal: 0 });
    rmSync(path, { recursive: true });
  });

  test("is executed with further descriptors in the places asked for, its own among them", () => {
    const [reader, writer] = openPipe();
    using low = new Descriptor(libc.fcntl(reader.fd, F.DUPFD_CLOEXEC, 3));
    const program = newProgram();
    const places = low.fd + 2;
    program.write(places - 1, program.text("x"), 1);
    program.exit_group(7);
    using file = new Descriptor(sealImage(compile(program)));
    libc.dup3(file.fd, low.fd, 0o2000000);
    const further = Array.from({ length: places - 3 }, () => writer.fd);
    const pid = spawnImage(low.fd, ["further"], [], [0, 1, 2, ...further]);
    expect(waitFor(pid)).toEqual({ status: 7, signal: 0 });
    const bytes = new Uint8Array(4);
    expect([readInto(reader.fd, bytes), bytes[0]]).toEqual([1, "x".charCodeAt(0)]);
    reader.close();
    writer.close();
  });

  test("and says why when nothing can be executed anywhere", () => {
    using proc = openFile("/proc", O.DIRECTORY);
    expect(() => hideImage(new Uint8Array(1), [proc.fd])).toThrow("the state directory is mounted noexec");
  });
});

describe("a started image", () => {
  test("has default signals, no environment, and the descriptors that it was given", () => {
    whileWaiting(
      () => {},
      (pid) => {
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        for (const field of ["SigBlk", "SigIgn", "SigCgt"])
          expect(status).toContain(`${field}:\t0000000000000000`);
        expect(status).toContain("Threads:\t1\n");
        expect(readFileSync(`/proc/${pid}/environ`, "utf8")).toBe("");
        expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).toBe("bunc: init test\0");
        expect(readlinkSync(`/proc/${pid}/exe`)).toBe("/memfd:bunc (deleted)");
      },
    );
  });

  test("leaves the flags of what it inherits as they were", () => {
    const [reader, writer] = openPipe();
    const program = newProgram();
    program.write(writer.fd, program.text("x"), 1);
    program.exit_group(0);
    using file = new Descriptor(sealImage(compile(program)));
    expect(waitFor(spawnImage(file.fd, ["keeper"], [writer.fd])).status).toBe(0);
    expect(readInto(reader.fd, new Uint8Array(4))).toBe(1);
    expect(libc.fcntl(writer.fd, F.GETFD, 0)).toBe(1);
    expect(waitFor(spawnImage(file.fd, ["other"], [])).status).toBe(1);
    reader.close();
    writer.close();
  });

  test("waits in little memory: 150 steps with strings and a filter", () => {
    const record = (program: Program) => {
      const how = openHow(O.PATH, 0, 0);
      for (let i = 0; i < 120; i++)
        program.openat2(AT.FDCWD, `/nonexistent/of/some/length/${i}`, how, 24).ignore();
      program.constant(new Uint8Array(8000).fill(1));
      program.forget(1);
    };
    whileWaiting(record, (pid) => {
      const pss = /^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1];
      expect(Number(pss)).toBeLessThanOrEqual(32);
    });
  });

  test("that is no program is an error of the spawn", () => {
    using file = new Descriptor(sealImage(new Uint8Array(100)));
    expect(() => spawnImage(file.fd, ["nothing"], [])).toThrow(
      `posix_spawn("/proc/self/fd/${file.fd}", ["nothing"])`,
    );
  });
});
