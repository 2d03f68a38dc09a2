import { readFileSync } from "node:fs";
import { type Patch, writePatches } from "./patch.ts";

// When the engine has made 64 blocks of 16 KiB for its heap, it starts a thread that makes 32 more in advance. For a process
// that ends a moment later that is 160 page faults, 1.3 ms of processor time, and a thread to be waited for at its end. The
// engine's option for it can be set only in the environment, before the process begins. So the number that the executable
// gives this option is changed: 65,535 blocks, a GiB, is more than bunc ever has.

/** The machine code of one processor that sets the number of blocks made in advance, 32, and the number to start at, 64. */
interface Code {
  /** In hexadecimal; two points stand for any byte. */
  readonly before: string;
  readonly start: string;
  readonly after: string;
  /** What takes the place of `start`. */
  readonly replacement: string;
}

/** By e_machine: EM_X86_64, EM_AARCH64. */
const codes: Readonly<Record<number, Code>> = {
  // mov rax, 64 << 32 | 32; mov [rip + …], rax; mov rax, 10.0, which is a third option
  62: {
    before: "48b820000000",
    start: "40000000",
    after: "488905........48b80000000000002440",
    replacement: "ffff0000",
  },
  // mov x9, #32; movk x9, #64, lsl #32; str w…
  183: { before: "090480d2", start: "0908c0f2", after: "", replacement: "e9ffdff2" },
};

const machineOffset = 18;

/**
 * What to write into an executable of Bun so that it starts no thread for blocks in advance.
 * Throws Error when it is of an unknown processor, or not exactly one place sets these options.
 */
export function planPostponement(executable: Buffer): Patch {
  const code = codes[executable.readUInt16LE(machineOffset)];
  if (!code) throw new Error("it is of an unknown processor");
  const { before, start, after, replacement } = code;
  const [found, second] = findCode(executable, before + start + after);
  if (found === undefined) throw new Error("no place sets the engine's option");
  if (second !== undefined) throw new Error("several places set the engine's option");
  return { offset: found + before.length / 2, bytes: Buffer.from(replacement, "hex") };
}

/** Where some code is: offsets. @param code in hexadecimal; it begins with bytes that are known */
function findCode(executable: Buffer, code: string): number[] {
  const known = Buffer.from(code.split(".", 1)[0] ?? "", "hex");
  const whole = new RegExp(`^${code}`);
  const found: number[] = [];
  for (let at = executable.indexOf(known); at >= 0; at = executable.indexOf(known, at + 1)) {
    if (whole.test(executable.toString("hex", at, at + code.length / 2))) found.push(at);
  }
  return found;
}

/** Keeps the engine of a compiled executable from starting that thread. @param executable path; four bytes are changed */
export function postponeWarmUp(executable: string): void {
  let patch: Patch;
  try {
    patch = planPostponement(readFileSync(executable));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `${executable} would start a thread to warm up memory: ${why}; see what a later Bun does (BUN_JSC_dumpOptions=3)`,
      { cause },
    );
  }
  writePatches(executable, [patch]);
}
