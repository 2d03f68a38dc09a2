/**
 * The steps of `npm test`, each printed before it runs; every step runs even when an earlier one has failed.
 * `bun bin/test.ts [STEP …]` runs only the steps named. Closes with "N passed, N failed, N skipped".
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");
const reports = mkdtempSync(join(tmpdir(), "bunc-reports-"));

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

interface Step {
  title: string;
  argv: string[];
  /** The file that `bun test` writes its JUnit report to. */
  report?: string;
}

const bun = process.execPath;
const asRoot = process.getuid?.() === 0;

function bunTest(name: string, paths: string[], timeout: number): { argv: string[]; report: string } {
  const report = join(reports, `${name}.xml`);
  const flags = [`--timeout=${timeout}`, "--reporter=junit", `--reporter-outfile=${report}`];
  return { argv: [bun, "test", ...flags, ...paths], report };
}

/** The end-to-end tests mount: whatever goes wrong in one of them must not reach the machine's own mounts. */
function inPrivateMounts(argv: string[]): string[] {
  return asRoot ? ["unshare", "--mount", "--propagation", "private", "--", ...argv] : argv;
}

const unit = bunTest("unit", ["./bin", "./ffi", "./src", "./bench"], 20_000);
const endToEnd = bunTest("e2e", ["./test"], 60_000);

const steps: Record<string, Step> = {
  lint: { title: "lint", argv: ["node_modules/.bin/biome", "check", "."] },
  types: { title: "type check", argv: ["node_modules/.bin/tsc", "--noEmit"] },
  unit: { title: "unit tests", ...unit },
  build: { title: "build", argv: ["bin/build"] },
  e2e: { title: "end-to-end tests", argv: inPrivateMounts(endToEnd.argv), report: endToEnd.report },
};

async function run(step: Step): Promise<number> {
  console.log(`\n==> ${step.title}`);
  const child = Bun.spawn(step.argv, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  return await child.exited;
}

/** The totals that a JUnit report has in its root element; a file that could not be loaded is not in them. */
function readTally(report: string): Tally {
  const opening = existsSync(report)
    ? /<testsuites [^>]*>/.exec(readFileSync(report, "utf8"))?.[0]
    : undefined;
  const attribute = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(opening ?? "")?.[1] ?? 0);
  const failed = attribute("failures") + attribute("errors");
  const skipped = attribute("skipped");
  return { passed: attribute("tests") - failed - skipped, failed, skipped };
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(steps);
const total: Tally = { passed: 0, failed: 0, skipped: 0 };
const unsuccessful: string[] = [];

for (const name of wanted) {
  const step = steps[name];
  if (step === undefined) {
    console.error(`test: unknown step ${name}; known are ${Object.keys(steps).join(", ")}`);
    process.exit(1);
  }
  const status = await run(step);
  if (status !== 0) unsuccessful.push(step.title);
  if (step.report === undefined) continue;
  const tally = readTally(step.report);
  total.passed += tally.passed;
  // A test file that throws while it is loaded is in no report, only in the exit status.
  total.failed += status === 0 ? tally.failed : Math.max(tally.failed, 1);
  total.skipped += tally.skipped;
}

rmSync(reports, { recursive: true });
console.log(unsuccessful.length === 0 ? "\nAll steps succeeded." : `\nFailed: ${unsuccessful.join(", ")}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(unsuccessful.length === 0 ? 0 : 1);
