import { medianError, type Summary, summarize } from "./statistics.ts";

/** What the figures of one measure are in. */
export type Unit = "ms" | "KiB" | "MiB" | "1";

/** One median over another. */
export interface Ratio {
  readonly value: number;
  /** Its standard error, as of two medians that have nothing to do with each other. */
  readonly error: number;
}

/** Everything that was measured in one part of a run: for each measure and each subject, its samples in order. */
export class Samples {
  readonly #series = new Map<string, Map<string, number[]>>();
  readonly #units = new Map<string, Unit>();

  /**
   * @param measure what was measured: "create", "create, cold" …
   * @param subject what it was measured of: a runtime's name, or that of a floor
   */
  add(measure: string, subject: string, value: number, unit: Unit = "ms"): void {
    const series = this.#series.get(measure) ?? new Map<string, number[]>();
    this.#series.set(measure, series);
    this.#units.set(measure, unit);
    const samples = series.get(subject);
    if (samples) samples.push(value);
    else series.set(subject, [value]);
  }

  /** Adds everything that another holds. */
  addAll(other: Samples): void {
    for (const [measure, series] of other.#series) {
      for (const [subject, values] of series) {
        for (const value of values) this.add(measure, subject, value, other.unit(measure));
      }
    }
  }

  /** In the order in which they were first seen. */
  get measures(): string[] {
    return [...this.#series.keys()];
  }

  unit(measure: string): Unit {
    return this.#units.get(measure) ?? "ms";
  }

  /** Undefined when this was not measured. */
  summary(measure: string, subject: string): Summary | undefined {
    const samples = this.#series.get(measure)?.get(subject);
    return samples && summarize(samples);
  }

  /** The median of one over the median of the other; undefined when either was not measured. */
  ratio(measure: string, subject: string, peerMeasure: string, peer: string): Ratio | undefined {
    const own = this.summary(measure, subject);
    const other = this.summary(peerMeasure, peer);
    if (!own || !other) return undefined;
    const value = own.median / other.median;
    const share = Math.hypot(medianError(own) / own.median, medianError(other) / other.median);
    return { value, error: value * share };
  }

  /** What one took more than the other, round by round; undefined when they were not measured in the same rounds. */
  differences(measure: string, subject: string, other: string): readonly number[] | undefined {
    const own = this.#series.get(measure)?.get(subject);
    const others = this.#series.get(measure)?.get(other);
    if (!own || !others || own.length !== others.length) return undefined;
    return own.map((value, round) => value - (others[round] ?? 0));
  }

  /** Every measure with its unit and, by subject, the samples and their summary. */
  toJSON(): Record<string, { unit: Unit; subjects: Record<string, Summary & { samples: number[] }> }> {
    return Object.fromEntries(
      [...this.#series].map(([measure, series]) => [
        measure,
        {
          unit: this.unit(measure),
          subjects: Object.fromEntries(
            [...series].map(([subject, samples]) => [subject, { ...summarize(samples), samples }]),
          ),
        },
      ]),
    );
  }
}
