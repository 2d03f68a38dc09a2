import * as v from "valibot";
import { type Config, configSchema } from "./config.ts";
import { describe, joinPath } from "./describe.ts";
import { SpecError, wrong } from "./error.ts";
import { parseJson, parseJsonCarefully } from "./json.ts";
import { type Mount, mountSchema } from "./mounts.ts";
import { type Process, processSchema } from "./process.ts";
import { type Resources, resourcesSchema } from "./resources.ts";
import { LIST_OF_STRINGS, list, MAP_OF_STRINGS } from "./values.ts";

type AnySchema = v.GenericSchema<unknown, unknown>;

/**
 * The bytes of config.json → Config (runtime-spec 1.3.0, config.md and config-linux.md).
 *
 * Unknown properties are dropped, as the specification demands, and so are properties that are null. What spans
 * several properties is not checked here but in src/rules.
 *
 * @throws SpecError, and nothing else, when the bytes are not UTF-8, not JSON, or a property has the wrong shape.
 */
export function parseConfig(bytes: Uint8Array): Config {
  return parse(configSchema(), bytes, "");
}

/** The bytes of a process document, as `exec --process` takes it, → Process. @throws SpecError as parseConfig does */
export function parseProcess(bytes: Uint8Array): Process {
  return parse(processSchema(), bytes, "process");
}

/** The bytes of a resources document, as `update --resources` takes it. @throws SpecError as parseConfig does */
export function parseResources(bytes: Uint8Array): Resources {
  return parse(resourcesSchema(), bytes, "linux.resources");
}

/** The bytes of a list of mounts, as `mounts add` takes it. @throws SpecError as parseConfig does */
export function parseMounts(bytes: Uint8Array): Mount[] {
  return parse(list(mountSchema()), bytes, "mounts");
}

function parse<S extends AnySchema>(schema: S, bytes: Uint8Array, base: string): v.InferOutput<S> {
  try {
    return read(schema, bytes, base);
  } catch (error) {
    // What is wrong with the whole document is said of the document that it is.
    if (base === "" || !(error instanceof SpecError) || error.path !== "") throw error;
    throw new SpecError(base, error.sentence);
  }
}

function read<S extends AnySchema>(schema: S, bytes: Uint8Array, base: string): v.InferOutput<S> {
  const text = decode(bytes);
  let result = v.safeParse(schema, parseJson(text), { abortEarly: true });
  // A null or a rounded number fails wherever it matters: only then is it worth reading the text the slow way.
  if (!result.success) result = v.safeParse(schema, parseJsonCarefully(text), { abortEarly: true });
  if (!result.success) throw toSpecError(result.issues[0], base);
  // JSON can write a NUL only as this escape.
  if (text.includes("\\u0000")) refuseNul(result.output, base);
  return result.output;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SpecError("", "is not text in UTF-8, which JSON must be");
  }
}

/** The kernel ends every string at its first NUL: what follows would be lost without a word. */
function refuseNul(value: unknown, path: string): void {
  if (typeof value === "string" && value.includes("\0")) {
    throw new SpecError(path, `is ${describe(value)}: it must not contain a NUL (\\u0000)`);
  }
  if (typeof value !== "object" || value === null) return;
  const items: [string | number, unknown][] = Array.isArray(value)
    ? value.map((item, index) => [index, item])
    : Object.entries(value);
  for (const [key, item] of items) {
    if (typeof key === "string" && key.includes("\0")) refuseNul(key, path);
    // Annotations never reach the kernel.
    if (path !== "" || key !== "annotations") refuseNul(item, joinPath(path, key));
  }
}

function toSpecError(issue: v.BaseIssue<unknown>, base: string): SpecError {
  let path = base;
  for (const item of issue.path ?? []) {
    path = joinPath(path, typeof item.key === "number" ? item.key : String(item.key));
  }
  const inner = wrongItem(issue);
  if (inner !== undefined) return wrong(joinPath(path, inner.key), inner.value, "a string");
  return wrong(path, issue.input, issue.message);
}

/** Lists and maps of strings are checked whole: this finds the item at fault. */
function wrongItem(issue: v.BaseIssue<unknown>): { key: string | number; value: unknown } | undefined {
  if (issue.message === LIST_OF_STRINGS && Array.isArray(issue.input)) {
    const key = issue.input.findIndex((item) => typeof item !== "string");
    return { key, value: issue.input[key] };
  }
  if (issue.message !== MAP_OF_STRINGS || typeof issue.input !== "object" || Array.isArray(issue.input)) {
    return undefined;
  }
  const found = Object.entries(issue.input ?? {}).find(([, value]) => typeof value !== "string");
  return found && { key: found[0], value: found[1] };
}
