import { end } from "./end.ts";
import { hotVerbs } from "./hot-verbs.ts";
import { main } from "./main.ts";

/** Runs a hot command and ends the process. What turns out to be none goes to `other`, with nothing done. */
export function run(argv: readonly string[], other: (argv: readonly string[]) => void): void {
  main(argv, hotVerbs, undefined).then((status) => {
    if (status === undefined) other(argv);
    else end(status);
  });
}
