#!/usr/bin/env bun
// The executable holds bunc twice: once whole, and once with only the commands that callers poll. The engine makes every
// function of a program when it loads it, and for `state` to load those of `create` too would take 0.5 ms.

type Hot = typeof import("../src/cli/hot.ts");
type Cold = typeof import("../src/cli/cold.ts");

const argv = process.argv.slice(2);

/** Any word will do: hot.ts hands back what is no hot command. */
function mayBeHot(): boolean {
  for (const word of argv) {
    if (word === "start" || word === "state" || word === "kill" || word === "delete") return true;
  }
  return false;
}

// bin/build.ts knows this path: it makes a second program of it.
const loadCold = () => require("../src/cli/cold.ts") as Cold;

if (mayBeHot()) (require("../src/cli/hot.ts") as Hot).run(argv, (all) => loadCold().run(all));
else loadCold().run(argv);
