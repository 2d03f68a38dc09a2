import { describe, expect, test } from "bun:test";
import { ERRNO } from "./constants/errno.ts";
import { AT, O } from "./constants/file.ts";
import { SyscallError } from "./error.ts";
import { Descriptor, readInto } from "./file.ts";
import { libc } from "./libc.ts";
import { decodeText } from "./memory.ts";
import { decodeStatus, findProgram, openPipe, runCaptured, spawn, waitFor } from "./process.ts";

/** Runs a shell script with its output in a pipe. */
function shell(
  script: string,
  stdout: (writer: number) => { stdout?: number; stderr?: number },
  env: string[] = [],
) {
  const [reader, writer] = openPipe();
  const pid = spawn("/bin/sh", ["sh", "-c", script], env, stdout(writer.fd));
  writer.close();
  const bytes = new Uint8Array(4096);
  let length = 0;
  for (let read = 1; read > 0; length += read) read = readInto(reader.fd, bytes.subarray(length));
  reader.close();
  return { ...waitFor(pid), output: decodeText(bytes, length) };
}

describe("spawn", () => {
  test("gives arguments, environment and streams", () => {
    const run = shell('echo "$0 $NAME"', (stdout) => ({ stdout }), ["NAME=größe"]);
    expect(run).toEqual({ status: 0, signal: 0, output: "sh größe\n" });
  });

  test("one descriptor may be several streams", () => {
    expect(shell("echo a; echo b >&2", (fd) => ({ stdout: fd, stderr: fd })).output).toBe("a\nb\n");
  });

  test("streams may be exchanged", () => {
    // 1 and 2 of a shell whose 1 is the pipe, exchanged by the shell that it spawns in turn.
    const [reader, writer] = openPipe();
    const saved = new Descriptor(libc.fcntl(1, 1030, 3));
    libc.dup3(writer.fd, 1, 0);
    const pid = spawn("/bin/sh", ["sh", "-c", "echo to-stderr >&2"], [], { stdout: 2, stderr: 1 });
    libc.dup3(saved.fd, 1, 0);
    saved.close();
    writer.close();
    const bytes = new Uint8Array(100);
    expect(decodeText(bytes, readInto(reader.fd, bytes))).toBe("to-stderr\n");
    reader.close();
    expect(waitFor(pid).status).toBe(0);
  });

  test("closes what a caller leaked, keeps what is asked for, and signals are at their defaults", () => {
    using leaked = new Descriptor(libc.openat(AT.FDCWD, "/dev/null", O.RDONLY, 0));
    using kept = new Descriptor(libc.openat(AT.FDCWD, "/dev/zero", O.RDONLY | O.CLOEXEC, 0));
    const [reader, writer] = openPipe();
    const script = `[ ! -e /proc/self/fd/${leaked.fd} ] && [ -e /proc/self/fd/${kept.fd} ] && grep SigIgn /proc/self/status`;
    const pid = spawn("/bin/sh", ["sh", "-c", script], [], { stdout: writer.fd, keep: [kept.fd] });
    writer.close();
    const bytes = new Uint8Array(100);
    expect(decodeText(bytes, readInto(reader.fd, bytes))).toBe("SigIgn:\t0000000000000000\n");
    reader.close();
    expect(waitFor(pid).status).toBe(0);
  });

  test("says what could not be executed", () => {
    for (const [path, errno] of [
      ["/nonexistent", ERRNO.ENOENT],
      ["/etc/passwd", ERRNO.EACCES],
    ] as const) {
      try {
        spawn(path, [path, "argument"], []);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(SyscallError);
        expect(error).toMatchObject({
          call: "posix_spawn",
          errno,
          rendered: `posix_spawn("${path}", ["${path}","argument"])`,
        });
      }
    }
  });
});

describe("waitFor", () => {
  test("tells exits from signals", () => {
    expect(waitFor(spawn("/bin/sh", ["sh", "-c", "exit 3"], []))).toEqual({ status: 3, signal: 0 });
    expect(waitFor(spawn("/bin/sh", ["sh", "-c", "kill -TERM $$"], []))).toEqual({ status: 143, signal: 15 });
    expect(decodeStatus(0x8b)).toEqual({ status: 139, signal: 11 });
  });

  test("of a process that is nobody's child fails", () => {
    expect(() => waitFor(1)).toThrow("wait4(1, {4 bytes}, 0, NULL)");
  });
});

describe("helpers", () => {
  test("are found in PATH and heard", () => {
    expect(runCaptured("sh", ["sh", "-c", "echo out; echo err >&2; read line || exit 4"])).toEqual({
      status: 4,
      output: "out\nerr\n",
    });
  });

  test("that are nowhere are undefined", () => {
    expect(findProgram("bunc-has-no-such-helper")).toBeUndefined();
    expect(runCaptured("bunc-has-no-such-helper", [])).toBeUndefined();
    expect(findProgram("sh")).toEndWith("/sh");
    expect(findProgram("./sh")).toBe("./sh");
  });
});
