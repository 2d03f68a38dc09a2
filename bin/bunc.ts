#!/usr/bin/env bun
// The executable holds bunc three times: whole, and twice with only the commands that callers wait for. The engine makes
// every function of a program when it loads it: for `state` to load those of everything would take 1.6 ms.

type Few = typeof import("../src/cli/hot.ts");
type Cold = typeof import("../src/cli/cold.ts");

// bin/build.ts knows these paths: it makes a program of each.
const loadHot = () => require("../src/cli/hot.ts") as Few;
const loadWarm = () => require("../src/cli/warm.ts") as Few;
const loadCold = () => require("../src/cli/cold.ts") as Cold;

const argv = process.argv.slice(2);

/** The program that may have the command. Any word will do: it hands back what is no command of its own. */
function choose(): Few | undefined {
  for (const word of argv) {
    if (word === "start" || word === "state" || word === "kill" || word === "delete") return loadHot();
    if (word === "create" || word === "run") return loadWarm();
  }
  return undefined;
}

const few = choose();
if (few) few.run(argv, (all) => loadCold().run(all));
else loadCold().run(argv);
