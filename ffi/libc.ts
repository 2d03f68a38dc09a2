import { type ArgumentKinds, type CallName, type CallRow, calls, type Kind } from "./calls.ts";
import { dlopen, read, word64 } from "./engine.ts";
import { SyscallError } from "./error.ts";
import { beginCall, lendBytes, lendText } from "./memory.ts";
import { endStage, isTimed } from "./timing.ts";

if (isTimed) endStage("engine, program");

// Two symbols serve every row of the table: libc's syscall(2) takes the number and six words on x86-64 and arm64 alike,
// so structures are the kernel's own, and opening the library costs the same for one verb as for all.
const { symbols: library } = dlopen("libc.so.6", {
  // long syscall(long number, ...)
  syscall: {
    args: [word64, word64, word64, word64, word64, word64, word64],
    returns: word64,
  },
  // int *__errno_location(void)
  __errno_location: { args: [], returns: "ptr" },
});
const errnoAddress = library.__errno_location();
if (isTimed) endStage("libc");

/**
 * What an immediate call takes for an argument of a kind. null is the null pointer. A path may be bytes that end with a
 * NUL: not every file has a name in UTF-8.
 */
export type Value<K extends Kind> = K extends "text"
  ? string | null
  : K extends "path"
    ? string | Uint8Array | null
    : K extends "bytes"
      ? Uint8Array | null
      : K extends "any"
        ? string | Uint8Array | number | bigint | null
        : number | bigint;

type Values<K> = K extends readonly [infer Head extends Kind, ...infer Rest]
  ? [argument: Value<Head>, ...Values<Rest>]
  : [];

type Arguments<N extends CallName> = Values<ArgumentKinds<N>>;

/** Every call of the table as a function, with the kernel's name, order and meaning of arguments. */
export type Now = { readonly [N in CallName]: (...args: Arguments<N>) => number };

export type Argument = string | Uint8Array | number | bigint | null;

/** The column of the table that belongs to this machine. */
export const numberColumn = process.arch === "arm64" ? 1 : 0;

// BUNC_TRACE and BUNC_FAULT: see ffi/trace.ts. Loaded only then.
type Watch = typeof import("./trace.ts");
const watch: Watch | undefined =
  process.env.BUNC_TRACE || process.env.BUNC_FAULT ? (require("./trace.ts") as Watch) : undefined;

function word(argument: Argument | undefined): number | bigint {
  if (typeof argument === "number" || typeof argument === "bigint") return argument;
  if (typeof argument === "string") return lendText(argument);
  return argument ? lendBytes(argument) : 0;
}

/** Makes a call of the table. Returns what the kernel returned, or the negated error number. */
function invoke(name: CallName, args: readonly Argument[]): number {
  const row: CallRow = calls[name];
  const forced = watch?.fault(name);
  if (forced !== undefined) return -forced;
  beginCall();
  const result = Number(
    library.syscall(
      row[numberColumn],
      word(args[0]),
      word(args[1]),
      word(args[2]),
      word(args[3]),
      word(args[4]),
      word(args[5]),
    ),
  );
  const outcome = result === -1 ? -read.i32(errnoAddress as never, 0) : result;
  watch?.trace(name, args, outcome, process.env.BUNC_TRACE ? writeError : undefined);
  return outcome;
}

function writeError(line: string): void {
  const row: CallRow = calls.write;
  beginCall();
  const bytes = new TextEncoder().encode(line);
  library.syscall(row[numberColumn], 2, lendBytes(bytes), bytes.length, 0, 0, 0);
}

/** The error of a call that returned `-errno`. */
export function failure(name: CallName, args: readonly Argument[], errno: number): SyscallError {
  const { renderCall } = require("./describe.ts") as typeof import("./describe.ts");
  return new SyscallError(name, errno, renderCall(name, args));
}

const returning: Record<string, (...args: Argument[]) => number> = {};
const throwing: Record<string, (...args: Argument[]) => number> = {};
for (const key in calls) {
  const name = key as CallName;
  returning[name] = (...args) => invoke(name, args);
  throwing[name] = (...args) => {
    const result = invoke(name, args);
    if (result < 0 && result > -4096) throw failure(name, args, -result);
    return result;
  };
}

/** Makes a call now; returns the kernel's result, or the negated error number, and never throws for it. */
export const attempt = returning as unknown as Now;

/** Makes a call now. Throws SyscallError when it fails. */
export const libc = throwing as unknown as Now;
