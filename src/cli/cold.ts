import { end } from "./end.ts";
import { hang } from "./hang.ts";
import { printHelp } from "./help.ts";
import { main } from "./main.ts";
import { verbs } from "./verbs.ts";
import { printVersion } from "./version.ts";

/** Runs any command and ends the process. */
export function run(argv: readonly string[]): void {
  main(argv, verbs, { printHelp, printVersion, hang }).then((status) => end(status ?? 1));
}
