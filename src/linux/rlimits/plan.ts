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
  const planned = rlimits.map((rlimit, index) => planRlimit(rlimit, `process.rlimits[${index}]`));
  const { callerFiles } = context;
  if (callerFiles !== "inherited" && !planned.some(({ resource }) => resource === RLIMIT.NOFILE)) {
    const { soft, hard } = callerFiles;
    planned.push({ origin: "the caller's own limit", name: "NOFILE", resource: RLIMIT.NOFILE, soft, hard });
  }
  return Object.freeze(planned);
}

function planRlimit({ type, soft, hard }: Rlimit, origin: string): PlannedRlimit {
  const name = type.replace(/^RLIMIT_/, "");
  const resource = (RLIMIT as Readonly<Record<string, number>>)[name];
  if (resource === undefined)
    throw new SpecError(`${origin}.type`, `is "${type}", which is no limit of Linux`);
  return { origin, name, resource, soft, hard };
}
