/**
 * The building blocks of the chapters: valibot schemas whose message is a phrase that says what would be right, to be
 * read after "it must be". Every one is a function, so that loading this folder builds nothing.
 *
 * They run once in the life of a process, before any of it is compiled: what is cheap here is few and plain calls.
 * Array methods that the engine implements in JavaScript (every, map, find) cost more than a loop, and a phrase is
 * made only when it is wanted. Schemas do not change, so one of a kind does for all places.
 */
import * as v from "valibot";

/** Any schema, whatever it takes and gives. */
type AnySchema = v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>;

/** The phrases by which a failed list or map of strings is known: the error then names the item, not the whole. */
export const LIST_OF_STRINGS = "a list of strings";
export const MAP_OF_STRINGS = "an object whose values are strings";

/** Calls `make` on the first use only. */
export function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** A property that may be absent; its schema is not built before it is met. */
export function chapter<S extends AnySchema>(make: () => S) {
  return v.exactOptional(v.lazy(once(make)));
}

/** A property that may be absent. */
export function optional<S extends AnySchema>(schema: S): v.ExactOptionalSchema<S, undefined> {
  let made = optionals.get(schema) as v.ExactOptionalSchema<S, undefined> | undefined;
  if (made === undefined) {
    made = v.exactOptional(schema);
    optionals.set(schema, made);
  }
  return made;
}

const optionals = new Map<AnySchema, unknown>();

/** An object; unknown keys are dropped (runtime-spec, "Extensibility"). Unlike v.object it refuses a list. */
export function object<const E extends v.ObjectEntries>(entries: E) {
  const shape = v.object(entries, (issue) => phraseOf(entries, issue));
  return v.pipe(anObject() as v.CustomSchema<v.InferInput<typeof shape>, string>, shape);
}

const anObject = once(() => v.custom<object>(isObject, "an object"));

/** An object used as a map: any keys, values of one shape. */
export function mapOf<S extends AnySchema>(value: S) {
  const shape = v.record(v.string(), value);
  return v.pipe(anObject() as v.CustomSchema<v.InferInput<typeof shape>, string>, shape);
}

export function list<S extends AnySchema>(item: S) {
  return v.array(item, "a list");
}

export function text(phrase?: string) {
  return phrase === undefined ? anyText() : v.custom<string>(isText, phrase);
}

const anyText = once(() => v.custom<string>(isText, "a string"));

/** A list of strings, checked in one loop: a seccomp profile has some 400 of them. */
export const texts = once(() =>
  v.custom<string[]>((value) => Array.isArray(value) && areTexts(value), LIST_OF_STRINGS),
);

export const textMap = once(() =>
  v.custom<Record<string, string>>(
    (value) => isObject(value) && areTexts(Object.values(value)),
    MAP_OF_STRINGS,
  ),
);

export const flag = once(() => v.boolean("true or false"));

/** One of a few words. v.picklist would spell its message out each time one is made. */
export function word<const W extends string>(...words: W[]) {
  return v.custom<W>(
    (value) => (words as unknown[]).includes(value),
    () => `one of ${words.map((each) => each || '""').join(", ")}`,
  );
}

/** A whole number that a JavaScript number holds exactly. */
export function whole(least: number, most: number, phrase?: string) {
  return v.custom<number>(
    (value) => typeof value === "number" && Number.isInteger(value) && value >= least && value <= most,
    phrase ?? (() => `a whole number from ${least} to ${most}`),
  );
}

export const int32 = once(() => whole(-2147483648, 2147483647));

export const uint32 = once(() => whole(0, 4294967295));

/** A user or group id: 4294967295 is -1, by which the kernel means "leave unchanged". */
export const id = once(() => whole(0, 4294967294));

/** A 64-bit number; always a bigint afterwards, so that no reader meets two types. */
export const int64 = once(() => wide(-9223372036854775808n, 9223372036854775807n));

export const uint64 = once(() => wide(0n, 18446744073709551615n));

function wide(least: bigint, most: bigint) {
  return v.pipe(
    v.custom<number | bigint>(
      (value) =>
        (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value))) &&
        value >= least &&
        value <= most,
      () => `a whole number from ${least} to ${most}`,
    ),
    v.transform((value) => BigInt(value)),
  );
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function areTexts(values: unknown[]): boolean {
  for (const value of values) if (typeof value !== "string") return false;
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a missing property would have to be. */
function phraseOf(entries: v.ObjectEntries, issue: v.BaseIssue<unknown>): string {
  const key = issue.path?.[0]?.key;
  const schema = typeof key === "string" ? entries[key] : undefined;
  const message: unknown = schema !== undefined && "message" in schema ? schema.message : undefined;
  return String(typeof message === "function" ? message(issue) : (message ?? "an object"));
}
