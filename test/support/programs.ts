// Runs recorded programs on this machine's processor, and on arm64 by emulation where qemu-user is installed.
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Descriptor, readInto } from "../../ffi/file.ts";
import { findProgram, openPipe, spawn, waitFor } from "../../ffi/process.ts";
import { compile, type StepFault } from "../../ffi/program/image.ts";
import { sealImage, spawnImage } from "../../ffi/program/launch.ts";
import type { Arch } from "../../ffi/program/layout.ts";
import { newProgram, type Program } from "../../ffi/program/program.ts";

const host: Arch = process.arch === "arm64" ? "arm64" : "x64";
const emulator = findProgram("qemu-aarch64-static");

/** Where the emulator finds a program: it opens a path of its own. */
const emulated = join(tmpdir(), `bunc-program-${process.pid}`);

/** The machines whose programs can be run here. */
export const machines: readonly Arch[] = host === "x64" && emulator ? ["x64", "arm64"] : [host];

/** What a program did. */
export interface ProgramRun {
  readonly status: number;
  readonly signal: number;
  /** What it wrote to the descriptor that it was recorded with. */
  readonly output: Uint8Array;
  /** What it reported, if it did. */
  readonly report: { readonly step: number; readonly errno: number } | undefined;
}

/** Records a program that may write to `output`, and runs it to its end. */
export function runProgram(
  arch: Arch,
  record: (program: Program, output: number) => void,
  fault?: StepFault,
): ProgramRun {
  const [outputs, output] = openPipe();
  const [reports, report] = openPipe();
  using outputsRead = outputs;
  using reportsRead = reports;
  const program = newProgram({ report: report.fd });
  record(program, output.fd);
  const pid = start(arch, compile(program, arch, fault), [output.fd, report.fd]);
  output.close();
  report.close();
  const written = readAll(outputsRead);
  const reported = new Uint32Array(readAll(reportsRead).buffer);
  const { status, signal } = waitFor(pid);
  rmSync(emulated, { force: true });
  const [step, errno] = reported;
  return {
    status,
    signal,
    output: written,
    report: step === undefined || errno === undefined ? undefined : { step, errno },
  };
}

function start(arch: Arch, image: Uint8Array, keep: readonly number[]): number {
  if (arch === host) {
    using file = new Descriptor(sealImage(image));
    return spawnImage(file.fd, ["program"], keep);
  }
  writeFileSync(emulated, image, { mode: 0o755 });
  return spawn(emulator ?? "", ["qemu", emulated], [], { keep });
}

function readAll(reader: Descriptor): Uint8Array {
  const bytes = new Uint8Array(65536);
  let length = 0;
  for (;;) {
    const read = readInto(reader.fd, bytes.subarray(length));
    if (read === 0) return bytes.slice(0, length);
    length += read;
  }
}
