/**
 * What the commands of a container's life may cost. Seconds depend on the machine and on what else it does; these counts do
 * not. The limits are in test/guard.json: `npm run limits` writes what is measured now.
 */
import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Costs, measureCosts, verbs } from "./support/costs.ts";
import { hasProgram } from "./support/machine.ts";
import { oursOnly, testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("guard");
const file = join(import.meta.dir, "guard.json");

/**
 * By how much a count may be greater than the recorded one: small changes need no new limits. Page faults depend on the
 * pieces in which the page cache holds the executable, and system calls on files that the engine looks for.
 */
const margins: Readonly<Record<string, number>> = {
  functions: 0.1,
  bytes: 0.1,
  programs: 0.2,
  compiled: 0,
  symbols: 0.2,
  systemCalls: 0.1,
  threads: 0,
  pageFaults: 0.5,
  callsWithPrelude: 0.1,
  faultsWithPrelude: 0.5,
};

const guarded =
  hasProgram("strace") && hasProgram("busybox") ? oursOnly : testIf(false, "needs strace and busybox");

guarded("no command of a container's life costs more than is recorded", async () => {
  const costs = await measureCosts(box);
  if (process.env.BUNC_WRITE_LIMITS) writeFileSync(file, `${JSON.stringify(costs, undefined, 2)}\n`);
  const limits = JSON.parse(readFileSync(file, "utf8")) as Costs;
  const excesses: string[] = [];
  for (const verb of verbs) {
    for (const [name, count] of Object.entries(costs[verb])) {
      const limit = Math.floor((limits[verb][name] ?? 0) * (1 + (margins[name] ?? 0)));
      expect(count).toBeNumber();
      if (!(count <= limit)) excesses.push(`${verb}: ${name}: ${count}, at most ${limit}`);
    }
  }
  expect(excesses).toEqual([]);
});

oursOnly("the limits are about counts that were seen: what is run is counted", async () => {
  const limits = JSON.parse(readFileSync(file, "utf8")) as Costs;
  for (const verb of verbs) {
    expect(Object.keys(limits[verb]).sort()).toEqual(Object.keys(margins).sort());
    expect(limits[verb]).toMatchObject({ threads: 0 });
    for (const name of [
      "functions",
      "bytes",
      "programs",
      "compiled",
      "symbols",
      "systemCalls",
      "pageFaults",
      "callsWithPrelude",
      "faultsWithPrelude",
    ]) {
      expect(limits[verb][name]).toBeGreaterThan(0);
    }
  }
});
