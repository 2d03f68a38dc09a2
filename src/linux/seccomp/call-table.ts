import type { TabledArchitecture } from "./numbers.ts";
// To make a table takes the third part of what a filter takes, so they stand in the program, and not at the top of a module:
// there they would be read although most filters come from the cache.
import { tabulate } from "./tabulate.ts" with { type: "macro" };
import type { CallTable } from "./tabulate.ts";

const x86Calls = (): CallTable => tabulate("X86_64", "X86", "X32");
const armCalls = (): CallTable => tabulate("AARCH64", "ARM");

const tables: Readonly<Record<TabledArchitecture, () => CallTable>> = {
  X86_64: x86Calls,
  X86: x86Calls,
  X32: x86Calls,
  AARCH64: armCalls,
  ARM: armCalls,
};

/** True for the architectures that have a table. */
export function hasTable(architecture: string): architecture is TabledArchitecture {
  return Object.hasOwn(tables, architecture);
}

/** The table that an architecture's calls are in, with those of the others that a machine of its kind has. */
export function callTable(architecture: TabledArchitecture): CallTable {
  return tables[architecture]();
}
