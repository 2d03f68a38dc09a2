import { end } from "./end.ts";
import { main } from "./main.ts";
import type { Verbs } from "./verb.ts";

/** Runs one of these commands and ends the process. What turns out to be none goes to `other`, with nothing done. */
export function runAmong(
  verbs: Verbs,
  argv: readonly string[],
  other: (argv: readonly string[]) => void,
): void {
  main(argv, verbs, undefined).then((status) => {
    if (status === undefined) other(argv);
    else end(status);
  });
}
