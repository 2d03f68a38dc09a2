import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type BunPlugin, Glob } from "bun";
import { foldConstants, type Tables } from "./fold-constants.ts";

// With splitting, Bun makes a program of every module that is loaded late, and a further one of what each set of such
// modules shares: 21 of them for `state` and 43 for `create`, which take 0.02 ms each. So the late modules are made to
// import the same things: what they all import is one program. It is there by the time they are loaded, and costs nothing.

const root = resolve(import.meta.dir, "..");

/** What start, state, kill and delete need beside the few lines of their own: shared with every late module. */
const core = [
  "src/cli/main.ts",
  "src/cli/container-args.ts",
  "src/container/start.ts",
  "src/container/state.ts",
  "src/container/kill.ts",
  "src/container/delete.ts",
].map((file) => resolve(root, file));

/** What create needs: shared with what records programs, too, and what those who do load late. */
const create = [resolve(root, "src/container/create.ts")];
const recorder = resolve(root, "ffi/program/program.ts");

/** The modules of the source, by absolute path. */
type Modules = ReadonlyMap<string, { readonly imports: readonly string[]; readonly late: readonly string[] }>;

function readModules(): Modules {
  const modules = new Map<string, { imports: string[]; late: string[] }>();
  for (const file of new Glob("{bin,src,ffi}/**/*.ts").scanSync({ cwd: root })) {
    if (file.endsWith(".test.ts")) continue;
    const path = resolve(root, file);
    const text = readFileSync(path, "utf8");
    const targets = (pattern: RegExp) =>
      [...text.matchAll(pattern)].map(([, target = ""]) => resolve(path, "..", target));
    modules.set(path, {
      imports: targets(/^(?:import|export)\s(?!type\s)[^;]*?from "(\.[^"]+\.ts)"/gm),
      late: targets(/(?<!typeof )(?:import|require)\("(\.[^"]+\.ts)"\)/g),
    });
  }
  return modules;
}

/** Some modules, and all that comes with them. */
function closure(modules: Modules, from: readonly string[]): ReadonlySet<string> {
  const found = new Set(from);
  for (const path of found) for (const target of modules.get(path)?.imports ?? []) found.add(target);
  return found;
}

/** The further programs that each late module is made to import. */
function planImports(modules: Modules): ReadonlyMap<string, readonly string[]> {
  const late = new Set([...modules.values()].flatMap((module) => module.late));
  const recording = [...late].filter((path) => closure(modules, [path]).has(recorder));
  const withCreate = new Set(recording);
  const everywhere = closure(modules, core);
  for (const path of closure(modules, [...create, ...recording])) {
    if (everywhere.has(path)) continue;
    for (const target of modules.get(path)?.late ?? []) withCreate.add(target);
  }
  const wanted = (path: string) => (withCreate.has(path) ? [...core, ...create] : core);
  return new Map([...late].map((path) => [path, wanted(path)]));
}

/**
 * Makes one program of what the most frequent commands share, and one of what create needs beside it.
 * @param tables the kernel's numbers, which stand in the programs themselves
 */
export const sharedPrograms = (tables: Tables): BunPlugin => ({
  name: "shared-programs",
  setup(build) {
    const further = planImports(readModules());
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const imports = (further.get(path) ?? []).map((target) => `import ${JSON.stringify(target)};`);
      const text = foldConstants(readFileSync(path, "utf8"), path, tables);
      return { contents: [text, ...imports, ""].join("\n"), loader: "ts" };
    });
  },
});
