import { SpecError } from "./error.ts";

/** Below this depth no schema reads anything: the deepest property is linux.seccomp.syscalls[].args[].value. */
const DEEPEST_READ = 16;

/** JSON text → values. @throws SpecError when it is not JSON, with the line and column where it stops being so */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson(text);
  }
}

function notJson(text: string): SpecError {
  const { findJsonError } = require("./json-error.ts") as typeof import("./json-error.ts");
  return new SpecError("", findJsonError(text));
}

/**
 * JSON text → values, keeping what JSON.parse and Go's parser see otherwise; several times slower than parseJson.
 *
 * A whole number that a JavaScript number cannot hold becomes a bigint: memory limits and seccomp arguments use all
 * of 64 bits. A property that is null is absent: programs in Go write null for an empty list, and read null as unset.
 *
 * @throws SpecError when the text is not JSON, or nested deeper than the engine can follow.
 */
export function parseJsonCarefully(text: string): unknown {
  const value = /\d{16}/.test(text) ? parseWide(text) : parseJson(text);
  dropNulls(value, DEEPEST_READ);
  return value;
}

function parseWide(text: string): unknown {
  try {
    return JSON.parse(text, keepWide);
  } catch (error) {
    // The engine parses any depth, but recurses when it is asked for the source text of numbers.
    if (error instanceof RangeError) throw new SpecError("", "is nested too deeply to be read");
    throw notJson(text);
  }
}

function keepWide(_key: string, value: unknown, context?: { source: string }): unknown {
  if (context === undefined || typeof value !== "number" || Number.isSafeInteger(value)) return value;
  return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}

function dropNulls(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null || depth === 0) return;
  if (Array.isArray(value)) {
    for (const item of value) dropNulls(item, depth - 1);
    return;
  }
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    if (record[key] === null) delete record[key];
    else dropNulls(record[key], depth - 1);
  }
}
