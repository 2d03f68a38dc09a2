import { hotVerbs } from "./hot-verbs.ts";
import { runAmong } from "./run-among.ts";

/** Runs a hot command and ends the process. What turns out to be none goes to `other`, with nothing done. */
export function run(argv: readonly string[], other: (argv: readonly string[]) => void): void {
  runAmong(hotVerbs, argv, other);
}
