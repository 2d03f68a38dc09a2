/** The same properties, each of which may be absent, but not undefined. */
export type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The properties that are neither 0, nor empty, nor undefined: what runc leaves out of its JSON otherwise. */
export function given<T extends object>(values: T): Given<T> {
  const kept: Given<T> = {};
  for (const key in values) {
    const value: unknown = values[key];
    if (value === undefined || value === 0n || value === "") continue;
    if (typeof value === "object" && value !== null && Object.keys(value).length === 0) continue;
    kept[key] = value as Given<T>[typeof key];
  }
  return kept;
}
