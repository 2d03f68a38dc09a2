/** A value for a file of a cgroup. */
export interface FileValue {
  /** Name of the file in the cgroup's directory, such as `memory.max`. */
  readonly file: string;
  readonly value: string;
}

/** A value that config.json asks for. */
export interface Limit extends FileValue {
  /** JSON path of the property that asks for it. */
  readonly property: string;
  /** A kernel that does not have the file does what is asked for anyway. */
  readonly dispensable: boolean;
  /** The same for kernels that have another file for it. */
  readonly otherwise: FileValue | undefined;
  /** Files whose sum the value must not be below. */
  readonly usage: readonly string[];
  /** Read back, for some kernels take the value and forget it. */
  readonly verified: boolean;
}

/** A limit; `limit("pids.max", 10n, "linux.resources.pids.limit")`. */
export function limit(file: string, value: bigint | number | string, property: string): Limit {
  return {
    file,
    value: String(value),
    property,
    dispensable: false,
    otherwise: undefined,
    usage: [],
    verified: false,
  };
}

/** A limit that is no matter when the kernel does not have its file. */
export function dispensable(given: Limit): Limit {
  return { ...given, dispensable: true };
}

/** Version 2 spells "no limit" as a word: -1 of config.json becomes `max`. */
export function orMax(value: bigint): string {
  return value < 0n ? "max" : String(value);
}

/** Where config.json means "not set" by 0, as callers that were written in Go do; those values cannot be 0. */
export function isSet(value: bigint | undefined): value is bigint {
  return value !== undefined && value !== 0n;
}
