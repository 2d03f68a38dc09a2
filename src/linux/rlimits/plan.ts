import { RLIMIT } from "../../../ffi/constants/process.ts";
import { SpecError } from "../../spec/error.ts";
import type { Rlimit } from "../../spec/types.ts";

export interface PlannedRlimit {
  /** JSON path, or what else asked for it. */
  readonly origin: string;
  /** Name without RLIMIT_. */
  readonly name: string;
  readonly resource: number;
  readonly soft: bigint;
  readonly hard: bigint;
}

export interface RlimitContext {
  /** The limit of open files that the caller had, where the engine has changed ours. */
  readonly callerFiles: "inherited" | { readonly soft: bigint; readonly hard: bigint };
}

/** Limits to set: config.json's, and the caller's own limit of open files if ours is another. getrlimit(2). */
export function planRlimits(rlimits: readonly Rlimit[], context: RlimitContext): readonly PlannedRlimit[] {
  const planned: PlannedRlimit[] = [];
  let limitsFiles = false;
  for (let index = 0; index < rlimits.length; index++) {
    const limit = planRlimit(rlimits[index] as Rlimit, `process.rlimits[${index}]`);
    planned.push(limit);
    limitsFiles ||= limit.resource === RLIMIT.NOFILE;
  }
  const { callerFiles } = context;
  if (callerFiles !== "inherited" && !limitsFiles) {
    const { soft, hard } = callerFiles;
    planned.push({ origin: "the caller's own limit", name: "NOFILE", resource: RLIMIT.NOFILE, soft, hard });
  }
  return Object.freeze(planned);
}

// No regular expressions where they are run for every container: the first one takes 0.08 ms.
const prefix = "RLIMIT_";

function planRlimit({ type, soft, hard }: Rlimit, origin: string): PlannedRlimit {
  const name = type.startsWith(prefix) ? type.slice(prefix.length) : type;
  const resource = (RLIMIT as Readonly<Record<string, number>>)[name];
  if (resource === undefined)
    throw new SpecError(`${origin}.type`, `is "${type}", which is no limit of Linux`);
  return { origin, name, resource, soft, hard };
}

/** Limits while the container is set up, and those of the caller that come back afterwards. */
export interface PlannedSetUpLimits {
  readonly during: readonly PlannedRlimit[];
  readonly after: readonly PlannedRlimit[];
}

const unchanged: PlannedSetUpLimits = Object.freeze({ during: [], after: [] });

/** Descriptors that the set-up needs beside the sources that it holds open. */
const others = 64;

/**
 * Sources of mounts that only the caller sees are all open at once, for which the caller's soft limit of open files may
 * be too low: the program raises it for that time, as far as the hard one allows.
 * @param sources how many are open at once
 * @param limit the caller's; undefined where nobody has asked for it, for the sources are few
 */
export function planSetUpLimits(
  sources: number,
  limit: { readonly soft: bigint; readonly hard: bigint } | undefined,
): PlannedSetUpLimits {
  const wanted = BigInt(sources + others);
  if (!limit || limit.soft >= wanted || limit.soft >= limit.hard) return unchanged;
  const raised = wanted < limit.hard ? wanted : limit.hard;
  const files = { origin: "mounts", name: "NOFILE", resource: RLIMIT.NOFILE, hard: limit.hard };
  return Object.freeze({ during: [{ ...files, soft: raised }], after: [{ ...files, soft: limit.soft }] });
}
