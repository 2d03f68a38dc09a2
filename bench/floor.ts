/** The least that any command of bunc can take. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { executableOptions, programOptions } from "../bin/compile-options.ts";
import { writeAnew } from "../bin/write-anew.ts";

/**
 * Compiles a program that does nothing, with the options of bin/build.ts, and written as it is.
 * @param directory gets the program
 * @returns its path
 */
export async function buildEmptyBinary(directory: string): Promise<string> {
  const source = join(directory, "empty.ts");
  const outfile = join(directory, "empty");
  writeFileSync(source, "");
  const result = await Bun.build({
    ...programOptions,
    entrypoints: [source],
    compile: { ...executableOptions, outfile },
  });
  if (!result.success) throw new AggregateError(result.logs, "the empty program was not compiled");
  writeAnew(outfile);
  return outfile;
}
