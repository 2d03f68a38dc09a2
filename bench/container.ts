/** One container, from create to delete, as buildah drives it. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Command, Stopwatch } from "./measure.ts";
import { reapOrphans, wait } from "./native.ts";
import type { Cgroups, Runtime } from "./runtimes.ts";

let count = 0;

/** An id that no other container of this run has. */
function newId(): string {
  count++;
  return `bunc-bench-${process.pid}-${count}`;
}

/** Milliseconds of each invocation. */
export interface Lifecycle {
  readonly create: number;
  readonly start: number;
  /** Twice, as buildah asks. */
  readonly state: readonly [number, number];
  readonly kill: number;
  readonly delete: number;
}

/** create, start, 2 × state, kill and delete. */
export function total(times: Lifecycle): number {
  return times.create + times.start + times.state[0] + times.state[1] + times.kill + times.delete;
}

/** How one runtime is driven with one bundle. */
export class Driver {
  constructor(
    readonly stopwatch: Stopwatch,
    readonly runtime: Runtime,
    readonly cgroups: Cgroups,
    readonly bundle: string,
  ) {}

  /** buildah starts the runtime in the bundle. */
  #prepare(...args: string[]): Command {
    return this.stopwatch.prepare(this.runtime.argv(this.cgroups, ...args), this.bundle);
  }

  #prepareCreate(id: string): Command {
    const pidFile = join(this.bundle, "pid");
    // buildah has a directory for each container. Renamed over an old file, a new one is written to disk at once (ext4).
    rmSync(pidFile, { force: true });
    return this.#prepare("create", "--bundle", this.bundle, "--pid-file", pidFile, id);
  }

  /** The process id of the container that was created last. */
  #readPid(): number {
    const pid = Number(readFileSync(join(this.bundle, "pid"), "utf8"));
    if (!Number.isInteger(pid) || pid < 2) throw new Error(`${this.runtime.name} wrote no pid file`);
    return pid;
  }

  /** Throws CommandError when an invocation fails. */
  lifecycle(): Lifecycle {
    const id = newId();
    const create = this.#prepareCreate(id);
    const start = this.#prepare("start", id);
    const state = this.#prepare("state", id);
    const kill = this.#prepare("kill", id, "SIGKILL");
    const remove = this.#prepare("delete", id);
    const { stopwatch } = this;

    const created = stopwatch.time(create);
    const pid = this.#readPid();
    const started = stopwatch.time(start);
    const states = [stopwatch.time(state), stopwatch.time(state)] as const;
    const killed = stopwatch.time(kill);
    // The caller collects the process before it asks for the container's removal.
    wait(pid);
    const deleted = stopwatch.time(remove);
    reapOrphans();
    return { create: created, start: started, state: states, kill: killed, delete: deleted };
  }

  /**
   * Creates a container, looks at it while it waits for start, and removes it.
   * @param before what the create command is preceded by: a program that runs it
   * @param look is given the process id
   * @returns milliseconds of create
   */
  create(before: readonly string[] = [], look: (pid: number) => void = () => {}): number {
    const id = newId();
    const { argv } = this.#prepareCreate(id);
    const elapsed = this.stopwatch.time(this.stopwatch.prepare([...before, ...argv], this.bundle));
    const pid = this.#readPid();
    look(pid);
    process.kill(pid, "SIGKILL");
    wait(pid);
    this.stopwatch.time(this.#prepare("delete", id));
    reapOrphans();
    return elapsed;
  }

  /** Milliseconds of `run`, in the foreground; the bundle's process must be one that ends. */
  run(): number {
    const elapsed = this.stopwatch.time(this.#prepare("run", "--bundle", this.bundle, newId()));
    reapOrphans();
    return elapsed;
  }
}
