import { PER } from "../../../ffi/constants/scheduling.ts";
import type { Personality } from "../../spec/types.ts";

/** The argument of personality(2). LINUX is said, too: the caller's may be another. */
export function planPersonality({ domain }: Personality): number {
  return PER[domain];
}
