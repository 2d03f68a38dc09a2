import type { Config } from "../spec/types.ts";
import { memoryPolicyFitsMode } from "./memory-policy.ts";
import { personalityHasNoFlags } from "./personality.ts";
import { affinityListsCpus, schedulerFitsPolicy } from "./scheduling.ts";

/** Rules of what few containers have. Loaded for those alone. Throws SpecError. */
export function checkSeldom(config: Config): void {
  schedulerFitsPolicy(config);
  affinityListsCpus(config);
  memoryPolicyFitsMode(config);
  personalityHasNoFlags(config);
}
