import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type BunPlugin, Glob } from "bun";

// With splitting, Bun makes a program of every module that is loaded late, and a further one of what each set of such
// modules shares: 21 of them for `state`, which take 0.02 ms each. So all late modules are made to import the same things:
// what the most frequent commands share is then shared by all, and one program. By the time it is there, so it costs nothing.

const root = resolve(import.meta.dir, "..");

/** What start, state, kill and delete need beside the few lines of their own. */
const core = [
  "src/cli/main.ts",
  "src/cli/container-args.ts",
  "src/container/start.ts",
  "src/container/state.ts",
  "src/container/kill.ts",
  "src/container/delete.ts",
];

const programName = "bunc:core";

/** The modules of the source that some module loads with import() or require(), when it needs them. */
function findLateModules(): ReadonlySet<string> {
  const late = new Set<string>();
  for (const file of new Glob("{bin,src,ffi}/**/*.ts").scanSync({ cwd: root })) {
    if (file.endsWith(".test.ts")) continue;
    const path = resolve(root, file);
    const loads = readFileSync(path, "utf8").matchAll(/(?<!typeof )(?:import|require)\("(\.[^"]+\.ts)"\)/g);
    for (const [, target = ""] of loads) late.add(resolve(path, "..", target));
  }
  return late;
}

/** Makes one program of what the most frequent commands share. */
export const sharedPrograms: BunPlugin = {
  name: "shared-programs",
  setup(build) {
    const late = findLateModules();
    build.onResolve({ filter: new RegExp(`^${programName}$`) }, () => ({
      path: programName,
      namespace: "bunc",
    }));
    build.onLoad({ filter: /.*/, namespace: "bunc" }, () => ({
      contents: core.map((file) => `import ${JSON.stringify(resolve(root, file))};`).join("\n"),
      loader: "ts",
    }));
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      return { contents: late.has(path) ? `${text}\nimport "${programName}";\n` : text, loader: "ts" };
    });
  },
};
