/** Runs a command both ways: as it comes, so that the prelude may do it, and by the engine alone. */
import { expect } from "bun:test";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, command, type Finished } from "./command.ts";
import { sleeper } from "./config.ts";
import type { Container } from "./container.ts";
import { hasProgram, runtimePath, searchPath } from "./machine.ts";
import { oursOnly, testIf } from "./peers.ts";
import type { Workspace } from "./workspace.ts";

/** A test that sees in the system calls who has done the work. */
export const tracedTest = hasProgram("strace") ? oursOnly : testIf(false, "needs strace");

/** Who did the work: the prelude alone, or the engine, before which the prelude may have tried. */
export type Worker = "prelude" | "engine";

export interface Done extends Finished {
  readonly worker: Worker;
}

/** The engine makes dozens of these when it begins, the dynamic linker and the prelude none. */
const engineCall = /^futex\(/m;

/** An environment that has nothing but what is given, and a PATH. */
const withPath = (env: Readonly<Record<string, string>> = {}) => ({ PATH: searchPath, ...env });

let serial = 0;

/** Runs the runtime with these arguments, and tells who has done the work. */
export async function traced(
  box: Workspace,
  args: readonly string[],
  options: CommandOptions = {},
  wrap: readonly string[] = [],
): Promise<Done> {
  const trace = join(box.path, `trace-${++serial}`);
  // A user to whom the command line changes may write there, too.
  writeFileSync(trace, "");
  chmodSync(trace, 0o666);
  const env = withPath(options.env);
  const finished = await command([...wrap, "strace", "-o", trace, runtimePath, ...args], { ...options, env });
  const calls = readFileSync(trace, "utf8");
  if (!calls.includes("execve(")) throw new Error(`strace has seen nothing: ${finished.stderr}`);
  return { ...finished, worker: engineCall.test(calls) ? "engine" : "prelude" };
}

/** What stands before the runtime on a command line, and its environment. */
export interface Around extends CommandOptions {
  readonly wrap?: readonly string[];
  readonly program?: string;
}

/** Runs the runtime as it comes. */
export function asItComes(args: readonly string[], { wrap = [], program, ...options }: Around = {}) {
  return command([...wrap, program ?? runtimePath, ...args], { ...options, env: withPath(options.env) });
}

/** Runs the runtime without the prelude. */
export function byEngine(args: readonly string[], around: Around = {}): Promise<Finished> {
  return asItComes(args, { ...around, env: { ...around.env, BUNC_NO_PRELUDE: "1" } });
}

/** What is on disk of the containers under a root: the names of their files. */
export function filesUnder(root: string): string[] {
  const ids = existsSync(root) ? readdirSync(root).sort() : [];
  return ids.flatMap((id) =>
    readdirSync(join(root, id))
      .sort()
      .map((name) => `${id}/${name}`),
  );
}

/** A text in which a container's own id and pid are words that another's have, too. */
export function withoutNames(container: Container, text: string): string {
  return text
    .replaceAll(container.id, "ID")
    .replaceAll(container.bundle.path, "BUNDLE")
    .replaceAll(String(container.pid), "PID")
    .replaceAll(/"created": "[^"]*"/g, '"created": TIME');
}

/** What a container's directory holds, or undefined when it is gone. */
export function filesOf(container: Container): string[] | undefined {
  const path = join(container.workspace.state, container.id);
  return existsSync(path) ? readdirSync(path).sort() : undefined;
}

/** A command's end on one container, as it can be compared with that on another. */
export function outcome(container: Container, { status, stdout, stderr }: Finished) {
  return {
    status,
    stdout: withoutNames(container, stdout),
    stderr: withoutNames(container, stderr),
    files: filesOf(container),
  };
}

/** A container that runs and one that has ended: enough for every command line that is refused, or asks only. */
export class Pair {
  #made: Promise<[Container, Container]> | undefined;

  constructor(readonly box: Workspace) {}

  containers(): Promise<[Container, Container]> {
    this.#made ??= this.#make();
    return this.#made;
  }

  async #make(): Promise<[Container, Container]> {
    const [running, stopped] = [await this.box.create(sleeper()), await this.box.create(sleeper())];
    await running.start();
    await stopped.kill("KILL");
    await stopped.exit();
    return [running, stopped];
  }

  /** Runs a command line both ways, and has it come to the same, with the same on disk. */
  async same(args: readonly string[], around: Around = {}): Promise<Finished> {
    const before = filesUnder(this.box.state);
    const engine = await byEngine(args, around);
    const between = filesUnder(this.box.state);
    const usual = await asItComes(args, around);
    expect([args, usual]).toEqual([args, engine]);
    expect([args, between, filesUnder(this.box.state)]).toEqual([args, before, before]);
    // 139 is SIGSEGV's.
    expect([args, [0, 1].includes(usual.status)]).toEqual([args, true]);
    return usual;
  }
}
