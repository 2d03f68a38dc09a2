import { readFileSync } from "node:fs";
import { writePatches } from "./patch.ts";

/**
 * Variables by which the environment tells Bun, in any program that it has compiled, to be something else or to run
 * something more: `bun` itself, further options (`--preload FILE`), a debugger. A container runtime is called with
 * environments that were made for other programs: it must neither obey these nor fail because of them.
 */
const names = ["BUN_BE_BUN", "BUN_OPTIONS", "BUN_INSPECT"];

/** Where to write one byte, and which. */
export interface Change {
  readonly offset: number;
  readonly byte: number;
}

/** What stands before a name where JavaScript in the engine reads it; that is never run here, but must stay a program. */
const dot = ".".charCodeAt(0);

/**
 * The changes that make a program look for names which no environment can hold: each `BUN_…` becomes `BUN=…`, longer
 * names that begin so, too. Throws Error when a name is not in the program: then it looks for it in another way.
 */
export function planDeafness(program: Buffer, wanted: readonly string[] = names): Change[] {
  const changes: Change[] = [];
  for (const name of wanted) {
    const before = changes.length;
    for (let at = program.indexOf(name); at >= 0; at = program.indexOf(name, at + 1)) {
      if (program[at - 1] === dot) continue;
      changes.push({ offset: at + name.indexOf("_"), byte: "=".charCodeAt(0) });
    }
    if (changes.length === before) throw new Error(`there is no ${name} in the program`);
  }
  return changes;
}

/** Makes a compiled executable ignore these variables. @param executable path; a byte for each name is changed */
export function ignoreVariables(executable: string): void {
  const changes = planDeafness(readFileSync(executable));
  writePatches(
    executable,
    changes.map(({ offset, byte }) => ({ offset, bytes: Uint8Array.of(byte) })),
  );
}
