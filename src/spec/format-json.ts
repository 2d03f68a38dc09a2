/** ECMAScript's JSON.rawJSON, which the type library does not know yet. */
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): unknown };

/** Values → JSON text in one line. A bigint is written as the number that it is, however wide. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "bigint" ? rawJSON(String(each)) : each,
  );
}
