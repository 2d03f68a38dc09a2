/** What the command line asks for. */
import { parseArgs } from "node:util";

export const verbs = ["create", "start", "state", "kill", "delete", "lifecycle", "run"] as const;
const parts = ["alone", "cgroups", "memory", "buildah", "many"] as const;

export type Verb = (typeof verbs)[number];
type Part = (typeof parts)[number];

/** A runtime by name, and its path where it was given. What stands before the first "-" of the name is its kind. */
export interface Candidate {
  readonly name: string;
  readonly path: string | undefined;
}

export interface Options {
  /** Of each invocation; also decides how often the slower things are measured. */
  readonly rounds: number;
  readonly builds: number;
  /** How many containers wait at once in the part "many". */
  readonly many: number;
  readonly candidates: readonly Candidate[];
  readonly verbs: ReadonlySet<string>;
  readonly parts: ReadonlySet<string>;
  readonly json: string | undefined;
  /** The directory that gets charts. */
  readonly charts: string | undefined;
}

export const usage = `usage: npm run bench -- [options]

Measures bunc beside crun and runc, each invocation by itself and the RUN step under buildah, and prints tables. As root.

  --rounds N           measure each invocation N times (default: 120; a thirtieth as many builds)
  --many N             let N containers of each wait at once (default: 1000)
  --quick              the same as --rounds 6 --many 100
  --only WORD,…        only some of ${[...verbs, ...parts].join(", ")}
  --skip NAME,…        leave runtimes out
  --runtime NAME=PATH  where a runtime is, or one more: crun-1.29=/opt/crun (NAME begins with bunc, crun or runc)
  --json FILE          write every sample to FILE
  --charts DIR         draw charts in DIR, as SVG
  --help               print this help`;

/** A command line that makes no sense; its message says why. */
export class UsageError extends Error {}

const isOneOf = <T extends string>(words: readonly T[], word: string): word is T =>
  (words as readonly string[]).includes(word);

const split = (list: string | undefined): string[] => list?.split(",").filter((word) => word !== "") ?? [];

function choose(words: string[]): { verbs: Set<Verb>; parts: Set<Part> } {
  const chosen = { verbs: new Set<Verb>(), parts: new Set<Part>() };
  for (const word of words) {
    if (isOneOf(verbs, word)) chosen.verbs.add(word);
    else if (isOneOf(parts, word)) chosen.parts.add(word);
    else throw new UsageError(`--only ${word}: known are ${[...verbs, ...parts].join(", ")}`);
  }
  // Verbs have to be measured somewhere; parts without verbs are measured with all of them.
  if (words.length === 0) for (const part of parts) chosen.parts.add(part);
  else if (chosen.verbs.size > 0 && !chosen.parts.has("cgroups")) chosen.parts.add("alone");
  if (chosen.verbs.size === 0) for (const verb of verbs) chosen.verbs.add(verb);
  return chosen;
}

function findCandidates(given: string[], skipped: string[]): Candidate[] {
  const paths = new Map<string, string | undefined>([
    ["bunc", undefined],
    ["crun", undefined],
    ["runc", undefined],
  ]);
  for (const entry of given) {
    const match = /^((?:bunc|crun|runc)(?:-[\w.+-]+)?)=(.+)$/.exec(entry);
    if (!match?.[1] || !match[2])
      throw new UsageError(`--runtime ${entry}: not NAME=PATH, such as crun-1.29=/opt/crun`);
    paths.set(match[1], match[2]);
  }
  for (const name of skipped) {
    if (!paths.delete(name))
      throw new UsageError(`--skip ${name}: known are ${[...paths.keys()].join(", ")}`);
  }
  return [...paths].map(([name, path]) => ({ name, path }));
}

function parseCount(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new UsageError(`--${option} ${text}: not a positive number`);
  return count;
}

/**
 * @param args without the names of the interpreter and the script; undefined is returned for --help
 * @throws UsageError
 */
export function parseOptions(args: string[]): Options | undefined {
  const { values } = parse(args);
  if (values.help) return undefined;
  const rounds = parseCount("rounds", values.rounds ?? (values.quick ? "6" : "120"));
  return {
    rounds,
    builds: Math.max(2, Math.round(rounds / 30)),
    many: parseCount("many", values.many ?? (values.quick ? "100" : "1000")),
    candidates: findCandidates(values.runtime ?? [], split(values.skip)),
    ...choose(split(values.only)),
    json: values.json,
    charts: values.charts,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        rounds: { type: "string" },
        many: { type: "string" },
        quick: { type: "boolean" },
        only: { type: "string" },
        skip: { type: "string" },
        runtime: { type: "string", multiple: true },
        json: { type: "string" },
        charts: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
