/** What it costs that other containers are there already. */
import { Driver, type Waiting } from "./container.ts";
import type { Latency } from "./latency.ts";
import { Samples } from "./samples.ts";
import { summarize } from "./statistics.ts";

/** The median of some creates that follow one another. */
export interface Point {
  readonly runtime: string;
  /** How many containers of this runtime were there, in the middle of them. */
  readonly beside: number;
  readonly milliseconds: number;
}

export interface Many {
  readonly samples: Samples;
  readonly curve: readonly Point[];
}

/** Creates of which one figure is made. */
const STRETCH = 10;
/** Points of a curve. */
const POINTS = 25;
const LISTS = 15;

/** "create beside 90–99 others" */
const stretch = (first: number, last: number): string => `create beside ${first}–${last} others`;

/** Whether a measure is of creates beside others. */
export const isBeside = (measure: string): boolean => measure.startsWith("create beside ");

/** The stretches that a table shows: the first, and those before 100, 1,000 … containers. */
export function stretches(count: number): [first: number, last: number][] {
  const ends = [STRETCH - 1];
  for (let end = 100; end < count; end *= 10) ends.push(end - 1);
  if (count > STRETCH) ends.push(count - 1);
  return ends.map((end) => [end - STRETCH + 1, end]);
}

/** The medians of equally many creates each. */
export function curveOf(runtime: string, times: readonly number[]): Point[] {
  const width = Math.max(1, Math.ceil(times.length / POINTS));
  const points: Point[] = [];
  for (let first = 0; first < times.length; first += width) {
    const part = times.slice(first, first + width);
    points.push({ runtime, beside: first + (part.length - 1) / 2, milliseconds: summarize(part).median });
  }
  return points;
}

/**
 * Lets `count` containers of a runtime wait at once, lists them and deletes them; then those of the next runtime. The
 * runtimes do not take turns: beside the others' containers each would be slower, and by theirs.
 * Throws CommandError when an invocation fails; then those that exist stay.
 */
export function measureMany({ stopwatch, runtimes, cgroups, bundles }: Latency, count: number): Many {
  const samples = new Samples();
  const curve: Point[] = [];
  for (const runtime of runtimes) {
    const driver = new Driver(stopwatch, runtime, cgroups, bundles.sleep.profile);
    const waiting: Waiting[] = [];
    for (let index = 0; index < count; index++) {
      if (index % STRETCH === 0) Bun.gc(true);
      waiting.push(driver.begin());
    }
    const times = waiting.map(({ created }) => created);
    curve.push(...curveOf(runtime.name, times));
    for (const [first, last] of stretches(count)) {
      for (const time of times.slice(first, last + 1)) samples.add(stretch(first, last), runtime.name, time);
    }
    for (let round = 0; round < LISTS; round++) {
      samples.add(`list of ${count}`, runtime.name, driver.list());
    }
    for (const each of waiting) driver.end(each);
  }
  return { samples, curve };
}
