import { libc } from "../../ffi/libc.ts";
import { hotVerbs } from "./hot-verbs.ts";
import { main } from "./main.ts";

/** Runs a hot command and ends the process. What turns out to be none goes to `other`, with nothing done. */
export function run(argv: readonly string[], other: (argv: readonly string[]) => void): void {
  // Everything was written by then, so the process ends at once instead of taking the engine down first.
  main(argv, hotVerbs, undefined).then((status) => {
    if (status === undefined) other(argv);
    else libc.exit_group(status);
  });
}
