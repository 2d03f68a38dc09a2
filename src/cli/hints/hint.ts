import type { ErrnoName } from "../../../ffi/constants/errno.ts";

/** What usually makes a call fail so, and what to do about it. */
export interface Hint {
  readonly cause: string;
  readonly cure: string;
}

/**
 * A hint and what it is for. podman sorts errors by words: "permission denied" and "operation not permitted" become status
 * 126, "no such file or directory", "executable file not found in" and "open executable" 127. No hint may hold these.
 */
export interface HintRow extends Hint {
  /** Names of calls, one of which failed. */
  readonly calls: readonly string[];
  readonly errno: ErrnoName;
  /** Further condition, on the error's whole text: the path, the property, the flags. */
  readonly when?: RegExp;
}
