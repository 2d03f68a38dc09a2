/** runtime-spec, config-linux.md, "Personality": there are no flags yet. */
import { SpecError } from "../spec/error.ts";
import type { Config } from "../spec/types.ts";

export function personalityHasNoFlags(config: Config): void {
  const [flag] = config.linux?.personality?.flags ?? [];
  if (flag === undefined) return;
  throw new SpecError(
    "linux.personality.flags[0]",
    `is ${JSON.stringify(flag)}: the specification has no flags of a personality, leave it out`,
  );
}
