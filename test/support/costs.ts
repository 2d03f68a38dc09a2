/** What commands cost, in counts that no load on the machine changes. */
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "./command.ts";
import { type Config, sleeper } from "./config.ts";
import { Container } from "./container.ts";
import { searchPath } from "./machine.ts";
import type { Workspace } from "./workspace.ts";

/** The commands of a container's life, as buildah calls them; and create with a seccomp profile that nobody has had yet. */
export const verbs = ["create", "start", "state", "kill", "delete", "create, new profile"] as const;
export type Verb = (typeof verbs)[number];

type Counts = Readonly<Record<string, number>>;

const profile = (
  JSON.parse(readFileSync(join(import.meta.dir, "../fixtures/buildah-config.json"), "utf8")) as Config
).linux.seccomp;
let profiles = 0;

/** buildah's profile, and never the same. */
function withNewProfile(config: Config): void {
  profiles++;
  if (!profile) throw new Error("buildah's config.json has no profile");
  config.linux.seccomp = { ...profile, defaultErrnoRet: 1000 + profiles };
}

/** How a command is looked at: what it is run by, with which environment, and what its output tells. */
interface Lens {
  readonly wrap: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** @param output what the command, and what it is run by, wrote to standard error and output */
  count(output: string): Counts;
}

const matches = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

const sum = (text: string, pattern: RegExp): number =>
  [...text.matchAll(pattern)].reduce((total, [, number]) => total + Number(number), 0);

/** Symbols that are asked of a library by name: what is linked is looked for in the executable first. ld.so(8), LD_DEBUG. */
function dlopenedSymbols(output: string): number {
  let count = 0;
  let last = "";
  for (const [, symbol = "", file = ""] of output.matchAll(/\tsymbol=(\S+);\s+lookup in file=(\S+) \[/g)) {
    if (symbol !== last && file.includes(".so")) count++;
    last = symbol;
  }
  return count;
}

/** The engine's part is looked at where the prelude leaves everything to it. */
const engineAlone = { BUNC_NO_PRELUDE: "1" };

const countCalls = (output: string) => matches(output, /^[a-z]\w+\(/gm);
const readFaults = (output: string) => Number(/^faults (\d+)$/m.exec(output)?.[1]);

const lenses: readonly Lens[] = [
  {
    wrap: [],
    env: { ...engineAlone, BUN_JSC_dumpGeneratedBytecodes: "1" },
    count: (output) => ({
      functions: matches(output, /^\S.* instructions \(/gm),
      bytes: sum(output, /^\S.*, None\w+, (\d+) .*instructions \(/gm),
      programs: matches(output, /^\S.*, NoneModule, .* instructions \(/gm),
    }),
  },
  {
    wrap: [],
    env: { ...engineAlone, BUN_JSC_reportBytecodeCompileTimes: "1" },
    count: (output) => ({ compiled: matches(output, /^Compiled .* into bytecode /gm) }),
  },
  {
    wrap: [],
    env: { ...engineAlone, LD_DEBUG: "symbols" },
    count: (output) => ({ symbols: dlopenedSymbols(output) }),
  },
  {
    // Without -f: of the command itself, not of init, which lives on.
    wrap: ["strace", "-o", "/dev/stderr"],
    env: engineAlone,
    count: (output) => ({
      systemCalls: countCalls(output),
      threads: matches(output, /^clone3?\(.*CLONE_THREAD/gm),
    }),
  },
  {
    wrap: ["strace", "-o", "/dev/stderr"],
    env: {},
    count: (output) => ({ callsWithPrelude: countCalls(output) }),
  },
  {
    wrap: ["busybox", "time", "-f", "faults %R"],
    env: {},
    count: (output) => ({ faultsWithPrelude: readFaults(output) }),
  },
  {
    wrap: ["busybox", "time", "-f", "faults %R"],
    env: engineAlone,
    count: (output) => ({ pageFaults: readFaults(output) }),
  },
];

/** Runs each command of a container's life once, through a lens. */
async function look(box: Workspace, lens: Lens): Promise<Record<Verb, Counts>> {
  const usual = await lookAt(box, lens, sleeper());
  const { create } = await lookAt(box, lens, sleeper(withNewProfile));
  return { ...usual, "create, new profile": create };
}

async function lookAt(box: Workspace, lens: Lens, config: Config) {
  const bundle = box.bundle(config);
  const container = new Container(box, bundle, box.id());
  const file = join(bundle.path, "seen");
  const run = async (verb: string, ...args: string[]): Promise<Counts> => {
    const fd = openSync(file, "w+");
    const globals = ["--cgroup-manager=disabled"];
    const argv = box.argv([verb, ...args], { globals, wrap: [...lens.wrap] });
    const { status } = await command(argv, {
      env: { PATH: searchPath, ...lens.env },
      stdout: fd,
      stderr: fd,
    });
    closeSync(fd);
    const output = readFileSync(file, "utf8");
    if (status !== 0) throw new Error(`${argv.join(" ")}: exit status ${status}: ${output.slice(-500)}`);
    return lens.count(output);
  };
  const create = await run("create", "--bundle", bundle.path, "--pid-file", container.pidFile, container.id);
  container.pid = Number(readFileSync(container.pidFile, "utf8"));
  const start = await run("start", container.id);
  const state = await run("state", container.id);
  const kill = await run("kill", container.id, "KILL");
  await container.exit();
  return { create, start, state, kill, delete: await run("delete", container.id) };
}

/** Counts of each command. */
export type Costs = Record<Verb, Record<string, number>>;

/** What the commands of a container's life cost. What the page cache has a part in is the least of three. */
export async function measureCosts(box: Workspace): Promise<Costs> {
  const costs = Object.fromEntries(verbs.map((verb) => [verb, {}])) as Costs;
  for (const lens of [...lenses, ...lenses.slice(-1), ...lenses.slice(-1)]) {
    const seen = await look(box, lens);
    for (const verb of verbs) {
      for (const [name, count] of Object.entries(seen[verb])) {
        costs[verb][name] = Math.min(count, costs[verb][name] ?? Number.POSITIVE_INFINITY);
      }
    }
  }
  return costs;
}
