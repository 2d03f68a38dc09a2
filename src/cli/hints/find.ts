import { ERRNO } from "../../../ffi/constants/errno.ts";
import { cgroupHints } from "./cgroups.ts";
import { executionHints } from "./execution.ts";
import { bundleHints, fileHints } from "./files.ts";
import type { Hint, HintRow } from "./hint.ts";
import { mountHints } from "./mounts.ts";
import { namespaceHints } from "./namespaces.ts";
import { processHints } from "./process.ts";

/** All of them. The first row that fits is used, so a row with a condition stands before one without. */
export const hints: readonly HintRow[] = [
  ...bundleHints,
  ...namespaceHints,
  ...mountHints,
  ...executionHints,
  ...processHints,
  ...cgroupHints,
  ...fileHints,
];

/** The hint for a failed call: its name, its error number, and the whole text of the error. */
export function findHint(call: string, errno: number, text: string): Hint | undefined {
  return hints.find(
    (row) => ERRNO[row.errno] === errno && row.calls.includes(call) && (row.when?.test(text) ?? true),
  );
}
