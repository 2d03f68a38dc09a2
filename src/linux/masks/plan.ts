/** Paths of the container that it must not see, or not change; absolute, in the order of config.json. */
export interface PlannedMasks {
  readonly masked: readonly string[];
  readonly readonly: readonly string[];
  /** SELinux label of what covers a directory; "" for none. */
  readonly label: string;
}
