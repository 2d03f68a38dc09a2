/** First and last of a range. */
export type NumberRange = readonly [first: number, last: number];

/** More than any kernel has of CPUs or memory nodes. */
const largest = 32767;

/**
 * Reads a list of CPUs or memory nodes: numbers and ranges with commas between them, as in `0-3,7`. Spaces around an entry,
 * and empty entries, pass as they do in runc. cpuset(7), "List format", without its strides.
 * @returns undefined for anything else; an empty list is empty
 */
export function readNumberList(text: string): NumberRange[] | undefined {
  const ranges: NumberRange[] = [];
  for (const entry of text.split(",").map((each) => each.trim())) {
    if (entry === "") continue;
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(entry);
    if (!match) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last > largest) return undefined;
    ranges.push([first, last]);
  }
  return ranges;
}

/** The bit mask of a list as the kernel reads it: little-endian words of 64 bits, as many as its last number needs. */
export function maskOf(ranges: readonly NumberRange[]): Uint8Array {
  const last = ranges.reduce((most, range) => Math.max(most, range[1]), 0);
  const mask = new Uint8Array(8 * (Math.floor(last / 64) + 1));
  for (const [from, to] of ranges) {
    for (let number = from; number <= to; number++)
      mask[number >> 3] = (mask[number >> 3] ?? 0) | (1 << (number & 7));
  }
  return mask;
}
