import { listIds } from "../state/store.ts";
import type { Session } from "./globals.ts";
import { UsageError } from "./usage-error.ts";

function compile(command: string, pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u");
  } catch (error) {
    throw new UsageError(`${command}: --regex: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * Does something with every container whose id a regular expression fits, wherever in it, as crun does. One that fails
 * does not keep it from the others.
 * @returns the exit status: 1 when one failed
 * Throws UsageError for what is no regular expression.
 */
export function forEachMatch(
  command: string,
  pattern: string,
  root: string,
  { log }: Pick<Session, "log">,
  act: (id: string) => void | void,
): number {
  const regex = compile(command, pattern);
  let status = 0;
  for (const id of listIds(root)) {
    if (!regex.test(id)) continue;
    try {
      act(id);
    } catch (error) {
      const { explain } = require("./explain.ts") as typeof import("./explain.ts");
      log.error(`${id}: ${explain(error)}`);
      status = 1;
    }
  }
  return status;
}
