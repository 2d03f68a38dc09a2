import { SpecError } from "../../spec/error.ts";
import { cacheKey, type Log, openCache, readEntry, writeEntry } from "./cache.ts";
import type { PlannedFilter } from "./plan.ts";
import { compileTree } from "./tree.ts";

/** Part of a cached filter's name: to be changed with anything in tree.ts that changes what comes out of it. */
export const treeVersion = "bunc 2";

/** All that a filter depends on, besides the compiler, as a text that differs for plans that differ. */
export function planText({ defaultAction, architectures, rules, newer }: PlannedFilter): string {
  let text = `${defaultAction} ${newer} ${architectures}`;
  for (const { names, action, conditions } of rules) {
    // Names come from the profile: as JSON none of them can pass for what follows it.
    text += `\n${action} ${JSON.stringify(names)}`;
    for (const { index, op, value, mask } of conditions) text += ` ${index} ${op} ${value} ${mask}`;
  }
  return text;
}

/**
 * The filter of a plan: from the cache, or compiled and put there. bunc's own compiler goes first; what it does not
 * cover is libseccomp's, which is opened only then.
 * @param cacheDirectory made when missing; undefined for no cache
 * @returns struct sock_filter[]
 * @throws SpecError when libseccomp is needed and not installed, or refuses the profile; never for the cache, whose
 *   troubles go to `log`
 */
export function loadFilter(plan: PlannedFilter, cacheDirectory: string | undefined, log?: Log): Uint8Array {
  using directory = cacheDirectory === undefined ? undefined : openCache(cacheDirectory, log);
  const cached = (compiler: string, compile: () => Uint8Array | undefined): Uint8Array | undefined => {
    if (directory === undefined) return compile();
    const key = cacheKey(`${compiler}\n${planText(plan)}`);
    const known = readEntry(directory.fd, key, log);
    if (known !== undefined) return known;
    const filter = compile();
    if (filter !== undefined) writeEntry(directory.fd, key, filter, log);
    return filter;
  };
  const own = cached(treeVersion, () => compileTree(plan));
  if (own !== undefined) return own;
  try {
    const { compileWithLibseccomp, libseccompVersion } =
      require("./libseccomp.ts") as typeof import("./libseccomp.ts");
    return cached(`libseccomp ${libseccompVersion()}`, () => compileWithLibseccomp(plan)) as Uint8Array;
  } catch (cause) {
    throw new SpecError("linux.seccomp", "cannot be compiled", { cause });
  }
}
