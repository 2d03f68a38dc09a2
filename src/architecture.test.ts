// Holds the arrows of docs/architecture.md: who may import whom. Reads the imports of every source file.
import { expect, test } from "bun:test";
import { Glob } from "bun";

const project = new URL("..", import.meta.url).pathname;
const imports =
  /(?:^|[\s;(])(?:import|export)\s[^"'`;]*?from\s*["']([^"']+)["']|(?:import|require)\(\s*["']([^"']+)["']\s*\)/g;

interface Import {
  readonly from: string;
  readonly to: string;
}

async function readImports(): Promise<Import[]> {
  const found: Import[] = [];
  for (const folder of ["src", "ffi", "bin"]) {
    for await (const file of new Glob("**/*.ts").scan({ cwd: `${project}${folder}` })) {
      if (file.endsWith(".test.ts")) continue;
      const from = `${folder}/${file}`;
      const text = await Bun.file(project + from).text();
      for (const match of text.matchAll(imports)) {
        const target = match[1] ?? match[2] ?? "";
        const to = target.startsWith(".") ? new URL(target, `file:///${from}`).pathname.slice(1) : target;
        found.push({ from, to });
      }
    }
  }
  return found;
}

const all = await readImports();

/** Imports that break a rule, one a line. */
function breaches(breaks: (entry: Import) => boolean): string[] {
  return all.filter(breaks).map(({ from, to }) => `${from} imports ${to}`);
}

/** The part of the project that a file belongs to: "linux/mounts", "container", "ffi". */
function part(file: string): string {
  const [top, first, second] = file.split("/");
  if (top !== "src") return top ?? "";
  return first === "linux" ? (second?.includes(".") ? "linux" : `linux/${second}`) : (first ?? "");
}

test("the imports were found", () => {
  expect(all.length).toBeGreaterThan(200);
});

test("the engine has no part of what runs before it", () => {
  const isPrelude = (file: string) => /^(src|ffi)\/prelude\//.test(file);
  expect(breaches(({ from, to }) => isPrelude(to) && !isPrelude(from) && from !== "bin/prelude.ts")).toEqual(
    [],
  );
});

test("only ffi imports bun:ffi", () => {
  expect(breaches(({ from, to }) => to === "bun:ffi" && part(from) !== "ffi")).toEqual([]);
});

test("ffi knows nothing of containers", () => {
  expect(breaches(({ from, to }) => part(from) === "ffi" && to.startsWith("src/"))).toEqual([]);
});

test("nothing that runs imports a node: module", () => {
  const runs = (file: string) => file.startsWith("src/") || file.startsWith("ffi/") || file === "bin/bunc.ts";
  expect(breaches(({ from, to }) => runs(from) && /^(node:|fs$|path$|os$|util$)/.test(to))).toEqual([]);
});

test("rooms never import each other", () => {
  expect(
    breaches(
      ({ from, to }) =>
        part(from).startsWith("linux/") && part(to).startsWith("linux/") && part(from) !== part(to),
    ),
  ).toEqual([]);
});

test("what is pure touches no machine: of ffi, only its constants", () => {
  const pure = (file: string) =>
    ["spec", "rules", "plan"].includes(part(file)) || /^src\/linux\/[^/]+\/plan\.ts$/.test(file);
  expect(
    breaches(({ from, to }) => pure(from) && to.startsWith("ffi/") && !to.startsWith("ffi/constants/")),
  ).toEqual([]);
});

// Each part may import itself, ffi, and these.
const below: Readonly<Record<string, readonly string[]>> = {
  spec: [],
  rules: ["spec"],
  state: [],
  bundle: ["spec"],
  plan: ["spec", "linux/*"],
  host: ["spec", "plan", "linux/*"],
  linux: [],
  "linux/*": ["linux", "spec"],
  container: ["bundle", "host", "linux/*", "plan", "rules", "spec", "state"],
  cli: ["container", "rules", "spec", "state"],
  prelude: ["cli", "state"],
};

test("data goes one way", () => {
  const general = (name: string) => (name.startsWith("linux/") ? "linux/*" : name);
  expect(
    breaches(({ from, to }) => {
      if (!from.startsWith("src/") || !to.startsWith("src/") || part(from) === part(to)) return false;
      return !below[general(part(from))]?.includes(general(part(to)));
    }),
  ).toEqual([]);
});
