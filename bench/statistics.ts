/** What is said of a list of samples. */

export interface Summary {
  readonly count: number;
  /** The quarter of the samples below it, the half, three quarters. */
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/**
 * The value below which a share of the samples lies, interpolated between neighbours (Hyndman and Fan's type 7, the
 * default of R and NumPy).
 * @param sorted ascending, not empty
 * @param share 0 to 1
 * @throws RangeError when there are no samples
 */
export function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new RangeError("no samples");
  return below + (above - below) * (position - Math.floor(position));
}

/** @throws RangeError when there are no samples */
export function summarize(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    count: sorted.length,
    lower: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    upper: quantile(sorted, 0.75),
  };
}

/**
 * The standard error of a median: what it may be off by chance. As for samples of a normal distribution, which has its
 * quartiles 1.349 deviations apart; a median's error is 1.253 times the mean's.
 */
export function medianError({ count, lower, upper }: Summary): number {
  return (1.253 * (upper - lower)) / 1.349 / Math.sqrt(count);
}
