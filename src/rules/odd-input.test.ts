import { expect, test } from "bun:test";
import { SpecError } from "../spec/error.ts";
import { parseConfig } from "../spec/parse.ts";
import { checkBundle } from "./check.ts";
import { refuseUnsupported } from "./supported.ts";

const fixture = `${import.meta.dir}/../../test/fixtures/buildah-config.json`;
const bytes = await Bun.file(fixture).bytes();

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What `create` does with config.json before it touches the system. Any error but a SpecError of one line fails. */
function read(input: Uint8Array): "accepted" | "refused" {
  try {
    const config = parseConfig(input);
    checkBundle(config);
    refuseUnsupported(config);
    return "accepted";
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    // A line that a terminal shows as one, and shows as it is.
    expect(error.message).toMatch(/^[ -~\u00a1-\uffff]+$/);
    expect(error.message.length).toBeLessThan(700);
    expect(error.message).not.toMatch(/Invalid|Expected|undefined|NaN|\[object/);
    return "refused";
  }
}

function* placesOf(value: Json, path: (string | number)[] = []): Generator<(string | number)[]> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  // The tail of a long list is like its head.
  for (const [key, item] of Object.entries(value).slice(0, 20)) yield* placesOf(item, [...path, key]);
}

function withValue(path: (string | number)[], value: Json): Uint8Array {
  const root = JSON.parse(new TextDecoder().decode(bytes)) as Json;
  if (path.length === 0) return new TextEncoder().encode(JSON.stringify(value));
  let parent = root as { [key: string]: Json };
  for (const key of path.slice(0, -1)) parent = parent[key] as { [key: string]: Json };
  parent[path.at(-1) ?? ""] = value;
  return new TextEncoder().encode(JSON.stringify(root));
}

/** The same numbers on every run (xorshift32). */
function* numbers(seed: number): Generator<number> {
  let state = seed;
  for (;;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

test("cut off anywhere", () => {
  expect(read(bytes)).toBe("accepted");
  for (let end = 0; end < bytes.length - 2; end += 23) expect(read(bytes.slice(0, end))).toBe("refused");
});

test("odd values anywhere", () => {
  const odd: Json[] = [
    null,
    true,
    -1,
    1.5,
    1e300,
    "",
    "\n\u001b[2J\u009b",
    [],
    [[null]],
    {},
    { "": { length: 1 } },
  ];
  let accepted = 0;
  for (const path of placesOf(JSON.parse(new TextDecoder().decode(bytes)) as Json)) {
    for (const value of odd) if (read(withValue(path, value)) === "accepted") accepted += 1;
  }
  expect(accepted).toBeGreaterThan(0);
}, 60_000);

test("keys that objects have by themselves", () => {
  for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty", "length"]) {
    for (const place of [[], ["process"], ["linux"], ["linux", "seccomp"], ["mounts", 0]]) {
      expect(read(withValue([...place, key], { path: 5, uid: "x" }))).toBe("accepted");
    }
    for (const map of ["rdma", "unified"]) read(withValue(["linux", "resources", map], { [key]: { a: 1 } }));
    expect(read(withValue(["annotations"], { [key]: "x" }))).toBe("accepted");
    expect(read(withValue(["linux", "sysctl"], { [key]: "x" }))).toBe("refused");
  }
});

test("bytes changed anywhere", () => {
  const random = numbers(2463534242);
  const next = (): number => random.next().value ?? 0;
  for (let round = 0; round < 2000; round += 1) {
    const changed = bytes.slice();
    for (let change = next() % 3; change >= 0; change -= 1) changed[next() % changed.length] = next();
    read(changed);
  }
}, 60_000);
