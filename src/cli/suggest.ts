/** How many letters must be added, removed, replaced or swapped with their neighbour to make `b` of `a`. */
function distance(a: string, b: string): number {
  // Rows of the optimal string alignment: the one before last, the last, and the one being filled.
  let older: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const next = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (older[column - 2] ?? 0) + 1);
      }
      next.push(cost);
    }
    older = last;
    last = next;
  }
  return last[b.length] ?? 0;
}

/** The known word that somebody may have meant, ` (did you mean X?)`; the empty string when none is near. */
export function suggest(word: string, known: readonly string[]): string {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3) + 1);
  for (const candidate of known) {
    const cost = word.length > 1 && candidate.startsWith(word) ? 0 : distance(word, candidate);
    if (cost < least) {
      least = cost;
      best = candidate;
    }
  }
  return best === undefined ? "" : ` (did you mean ${best}?)`;
}
