import { runAmong } from "./run-among.ts";
import { warmVerbs } from "./warm-verbs.ts";

/** Runs create or run, and ends the process. Anything else goes to `other`, with nothing done. */
export function run(argv: readonly string[], other: (argv: readonly string[]) => void): void {
  runAmong(warmVerbs, argv, other);
}
