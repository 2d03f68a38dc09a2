// The trace and the test switch of immediate calls. Loaded only when one of the two variables is set.
import type { CallName } from "./calls.ts";
import { ERRNO, type ErrnoName } from "./constants/errno.ts";
import { renderCall, renderResult } from "./describe.ts";
import type { Argument } from "./libc.ts";

/** A failure to feign, from BUNC_FAULT: `call:N:ERRNO` is the Nth immediate call, `step:N:ERRNO` step N of a program. */
export interface Fault {
  readonly kind: "call" | "step";
  /** Counted from 1 for calls; the index for steps. */
  readonly number: number;
  readonly errno: number;
}

/** Reads BUNC_FAULT. Throws RangeError when it is not of the form. */
export function parseFault(text: string): Fault {
  const [kind, number, name] = text.split(":");
  const errno = ERRNO[name as ErrnoName];
  if ((kind !== "call" && kind !== "step") || !/^\d+$/.test(number ?? "") || errno === undefined) {
    throw new RangeError(`BUNC_FAULT=${text}: expected call:N:ERRNO or step:N:ERRNO`);
  }
  return { kind, number: Number(number), errno };
}

const wanted = process.env.BUNC_FAULT ? parseFault(process.env.BUNC_FAULT) : undefined;
let made = 0;

/** The error number that this call must fail with, if it is the one asked for. */
export function fault(_name: CallName): number | undefined {
  if (wanted?.kind !== "call") return undefined;
  made++;
  return made === wanted.number ? wanted.errno : undefined;
}

/** The step of a recorded program that must fail, if one is asked for. */
export function stepFault(): Fault | undefined {
  return wanted?.kind === "step" ? wanted : undefined;
}

/** Prints one call as strace would. */
export function trace(
  name: CallName,
  args: readonly Argument[],
  outcome: number,
  write: ((line: string) => void) | undefined,
): void {
  write?.(`${renderCall(name, args)} = ${renderResult(outcome)}\n`);
}
