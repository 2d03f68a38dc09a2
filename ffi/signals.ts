// Signals for a command that waits. The engine has threads that take signals too, and JavaScript cannot run in a
// handler, so the handler is a few instructions that write the signal's number into a pipe: whoever polls reads it.
import { O } from "./constants/file.ts";
import { MAP, PROT } from "./constants/memory.ts";
import { SIG_IGN } from "./constants/signal.ts";
import { dlopen, ptr, toArrayBuffer } from "./engine.ts";
import { Descriptor } from "./file.ts";
import { libc } from "./libc.ts";

type Row = readonly [bytes: readonly number[], assembly: string];

/** void handler(int signal): write(fd, &signal, 1). */
export function handlerX64(fd: number): readonly Row[] {
  return [
    [[0x57], "push rdi"],
    [[0xb8, 1, 0, 0, 0], "mov eax, 1 (write)"],
    [[0xbf, ...little(fd)], "mov edi, fd"],
    [[0x48, 0x89, 0xe6], "mov rsi, rsp"],
    [[0xba, 1, 0, 0, 0], "mov edx, 1"],
    [[0x0f, 0x05], "syscall"],
    [[0x5f], "pop rdi"],
    [[0xc3], "ret"],
  ];
}

/** The same for arm64; fd fits into 16 bits. */
export function handlerArm64(fd: number): readonly Row[] {
  return [
    [little(0xf81f0fe0), "str x0, [sp, #-16]!"],
    [little(0x910003e1), "mov x1, sp"],
    [little(0xd2800000 + fd * 32), "mov x0, fd"],
    [little(0xd2800022), "mov x2, #1"],
    [little(0xd2800808), "mov x8, #64 (write)"],
    [little(0xd4000001), "svc #0"],
    [little(0x910043ff), "add sp, sp, #16"],
    [little(0xd65f03c0), "ret"],
  ];
}

function little(word: number): number[] {
  return [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, (word >>> 24) & 0xff];
}

const page = 4096;
// struct sigaction of glibc: handler, 128 bytes of mask, flags, restorer.
const sigactionSize = 152;
const flagsOffset = 136;
const SA_RESTART = 0x10000000;

/**
 * Takes over some signals of this process for the rest of its life, but for those that it ignored from the start.
 * @param signals numbers
 * @returns the reading end of a pipe: every byte is the number of a signal that came
 */
export function catchSignals(signals: readonly number[]): Descriptor {
  const pair = new Int32Array(2);
  libc.pipe2(new Uint8Array(pair.buffer), O.CLOEXEC | O.NONBLOCK);
  const [reading = -1, writing = -1] = pair;
  const handler = makeHandler(writing);
  // int sigaction(int signal, const struct sigaction *new, struct sigaction *old): the kernel's own call wants a
  // restorer, which only libc has.
  const { symbols } = dlopen("libc.so.6", {
    sigaction: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  });
  const action = new Uint8Array(sigactionSize);
  const view = new DataView(action.buffer);
  view.setBigUint64(0, BigInt(handler), true);
  view.setInt32(flagsOffset, SA_RESTART, true);
  const old = new Uint8Array(sigactionSize);
  for (const signal of signals) {
    symbols.sigaction(signal, null, ptr(old));
    if (new DataView(old.buffer).getBigUint64(0, true) === BigInt(SIG_IGN)) continue;
    symbols.sigaction(signal, ptr(action), null);
  }
  return new Descriptor(reading);
}

/** Machine code in a page of its own, never writable and executable at once. */
function makeHandler(fd: number): number {
  const rows = process.arch === "arm64" ? handlerArm64(fd) : handlerX64(fd);
  const code = Uint8Array.from(rows.flatMap(([bytes]) => bytes));
  const address = libc.mmap(0, page, PROT.READ | PROT.WRITE, MAP.PRIVATE | MAP.ANONYMOUS, -1, 0);
  copyTo(address, code);
  libc.mprotect(address, page, PROT.READ | PROT.EXEC);
  return address;
}

function copyTo(address: number, bytes: Uint8Array): void {
  new Uint8Array(toArrayBuffer(address as never, 0, bytes.length)).set(bytes);
}
