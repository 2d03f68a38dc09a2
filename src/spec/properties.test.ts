/**
 * docs/config.md says of every property what becomes of it. test/fixtures/config-properties.txt is the specification's
 * list: the properties of runtime-spec 1.3.0's JSON schemas, by their paths.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { mountOptions } from "../linux/mounts/options.ts";
import { configSchema } from "./config.ts";

const repository = resolve(import.meta.dir, "../..");
const read = (path: string) => readFileSync(join(repository, path), "utf8");

/** Of other systems, or gone from the specification: no schema reads them. */
const withoutSchema = new Set([
  "process.commandLine",
  "process.user.username",
  "linux.intelRdt.enableCMT",
  "linux.intelRdt.enableMBM",
  "solaris",
  "windows",
  "zos",
  "freebsd",
]);

const specified = read("test/fixtures/config-properties.txt").trim().split("\n");

/** What of a valibot schema this test walks through. */
interface Schema {
  readonly type: string;
  readonly kind?: string;
  readonly pipe?: readonly Schema[];
  readonly wrapped?: Schema;
  readonly item?: Schema;
  readonly value?: Schema;
  readonly entries?: Record<string, Schema>;
  readonly getter?: (input: unknown) => Schema;
}

/** The paths of everything in a schema, as in `mounts[].options` and `linux.netDevices.*.name`. */
function* paths(schema: Schema, path: string): Generator<string> {
  const inner = schema.pipe?.find((part) => part.type === "object" || part.type === "record");
  if (inner) yield* paths(inner, path);
  else if (schema.wrapped) yield* paths(schema.wrapped, path);
  else if (schema.getter) yield* paths(schema.getter(undefined), path);
  else if (schema.item) yield* paths(schema.item, `${path}[]`);
  else if (schema.value) yield* paths(schema.value, `${path}.*`);
  else {
    if (path !== "") yield path;
    for (const [key, value] of Object.entries(schema.entries ?? {}))
      yield* paths(value, path === "" ? key : `${path}.${key}`);
  }
}

interface Row {
  readonly properties: readonly string[];
  readonly outcome: string;
  readonly explanation: string;
  readonly tests: readonly string[];
}

/** The rows whose first cell names properties. */
function rows(): Row[] {
  const found: Row[] = [];
  for (const line of read("docs/config.md").split("\n")) {
    const cells = line.split("|").map((cell) => cell.trim());
    if (cells.length !== 6 || !cells[1]?.startsWith("`")) continue;
    const [, first = "", outcome = "", explanation = "", tests = ""] = cells;
    found.push({
      properties: first.split(",").map((each) => each.trim().replaceAll("`", "")),
      outcome,
      explanation,
      tests: tests === "" ? [] : tests.split(",").map((each) => each.trim()),
    });
  }
  return found;
}

/** Whether a path of the table means this property: `*` stands for a key or a part of one, `**` for anything. */
function means(pattern: string, property: string): boolean {
  const expression = pattern
    .split("**")
    .map((piece) =>
      piece
        .split("*")
        .map((part) => part.replace(/[.[\]]/g, "\\$&"))
        .join("[^.[]*"),
    )
    .join(".*");
  return new RegExp(`^${expression}$`).test(property.replaceAll("*", "ANY")) || pattern === property;
}

const table = rows();

describe("the specification's list", () => {
  test("is what the schemas read", () => {
    const known = [...paths(configSchema() as unknown as Schema, "")];
    expect(known.toSorted()).toEqual(specified.filter((each) => !withoutSchema.has(each)).toSorted());
  });

  test.each(specified)("%s has one row in docs/config.md", (property) => {
    const exact = table.filter((row) => row.properties.includes(property));
    const general = table.filter((row) => row.properties.some((pattern) => means(pattern, property)));
    expect(exact.length > 0 ? exact.length : general.length).toBe(1);
  });
});

describe("docs/config.md", () => {
  test("names no property that does not exist", () => {
    const odd = table
      .flatMap((row) => row.properties)
      .filter((pattern) => !specified.some((property) => means(pattern, property)));
    expect(odd).toEqual([]);
  });

  test.each(table.map((row) => [row.properties.join(", "), row] as const))("%s", (_, row) => {
    expect(row.outcome).toMatch(/^(works( †)?|refused|ignored)$/);
    // Who is told no is told why.
    if (!row.outcome.startsWith("works")) expect(row.explanation).not.toBe("");
    const words = row.properties.map((property) =>
      property
        .replace(/(\[\]|\.?\*)+$/, "")
        .split(/[.*]/)
        .at(-1),
    );
    const texts = row.tests.map((name) => {
      const path = name.includes("/") ? name : `test/${name}`;
      expect([path, existsSync(join(repository, path))]).toEqual([path, true]);
      return read(path);
    });
    if (texts.length === 0) return;
    for (const word of words)
      expect([word, texts.some((text) => text.includes(word ?? ""))]).toEqual([word, true]);
  });

  test("has every mount option once", () => {
    const page = read("docs/config.md")
      .split("\n## ")
      .find((part) => part.startsWith("Mount options\n"));
    const shown = [...(page ?? "").matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell = ""]) =>
      cell.split(", ").map((each) => each.replaceAll("`", "")),
    );
    expect(shown.toSorted()).toEqual(Object.keys(mountOptions).toSorted());
  });
});
