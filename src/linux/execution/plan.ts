import { listOf } from "../list-of.ts";

/** What is executed in the end, where and with which environment. */
export type PlannedExecution =
  /** config.json has no process: the container can be created, not started. */
  | { readonly kind: "none" }
  | {
      readonly kind: "execute";
      readonly args: readonly string[];
      /** The whole environment; of several entries of one name only the last is left. */
      readonly env: readonly string[];
      /** Absolute path in the container. */
      readonly cwd: string;
      /** Paths to try, in order: the directories of PATH, or the one path when args[0] has a slash. */
      readonly candidates: readonly string[];
      /** The candidates come from PATH, so not finding any is said as a shell says it. */
      readonly searched: boolean;
    };

export type PlannedExecute = Extract<PlannedExecution, { kind: "execute" }>;

export interface ExecutionContext {
  /** The user's home directory in the container, for an environment without HOME. */
  readonly home: string;
}

/** Where execvp(3) looks when there is no PATH: confstr(_CS_PATH). */
const usualPath = "/bin:/usr/bin";

export function planExecution(
  args: readonly string[],
  env: readonly string[],
  cwd: string,
  context: ExecutionContext,
): PlannedExecute {
  const variables = lastOfEachName(env);
  if (!variables.has("HOME")) variables.set("HOME", `HOME=${context.home}`);
  const name = args[0] ?? "";
  const searched = !name.includes("/");
  const path = variables.get("PATH")?.slice("PATH=".length) ?? usualPath;
  const candidates: string[] = [];
  if (searched) for (const directory of path.split(":")) candidates.push(`${directory || "."}/${name}`);
  else candidates.push(name);
  return Object.freeze({
    kind: "execute",
    args,
    env: listOf(variables.values()),
    cwd,
    candidates,
    searched,
  });
}

/** A later entry wins; the order is that of the first ones. */
function lastOfEachName(env: readonly string[]): Map<string, string> {
  const variables = new Map<string, string>();
  for (const entry of env) variables.set(entry.slice(0, nameLength(entry)), entry);
  return variables;
}

function nameLength(entry: string): number {
  const equals = entry.indexOf("=");
  return equals < 0 ? entry.length : equals;
}

/**
 * The home directory of a user by the text of a passwd(5) file; "/" for one that it does not have, as runc does it.
 */
export function homeOf(passwd: string, uid: number): string {
  for (const line of passwd.split("\n")) {
    const fields = line.split(":");
    if (fields[2] === String(uid)) return fields[5] || "/";
  }
  return "/";
}
