/** One container, from create to delete, as buildah drives it. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Command, Stopwatch } from "./measure.ts";
import { reapOrphans, wait } from "./native.ts";
import type { Verb } from "./options.ts";
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

/** Somebody who looks at each invocation of a lifecycle or a run. */
export interface Observer {
  /** What each command is preceded by: a program that runs it. */
  readonly before: readonly string[];
  /** @param pid the container's; 0 when the invocation was the last to know of it */
  after(verb: Verb, pid: number): void;
}

const nobody: Observer = { before: [], after: () => {} };

/** A container that waits for start. */
export interface Waiting {
  readonly id: string;
  readonly pid: number;
  /** Milliseconds of create. */
  readonly created: number;
}

/** How one runtime is driven with one bundle. */
export class Driver {
  constructor(
    readonly stopwatch: Stopwatch,
    readonly runtime: Runtime,
    readonly cgroups: Cgroups,
    readonly bundle: string,
    readonly observer: Observer = nobody,
  ) {}

  /** buildah starts the runtime in the bundle. */
  #prepare(...args: string[]): Command {
    const argv = this.runtime.argv(this.cgroups, ...args);
    return this.stopwatch.prepare([...this.observer.before, ...argv], this.bundle);
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

  #time(verb: Verb, command: Command, pid = 0): number {
    const elapsed = this.stopwatch.time(command);
    this.observer.after(verb, pid);
    return elapsed;
  }

  /** Throws CommandError when an invocation fails. */
  lifecycle(): Lifecycle {
    const id = newId();
    const create = this.#prepareCreate(id);
    const start = this.#prepare("start", id);
    const state = this.#prepare("state", id);
    const kill = this.#prepare("kill", id, "SIGKILL");
    const remove = this.#prepare("delete", id);

    const created = this.stopwatch.time(create);
    const pid = this.#readPid();
    this.observer.after("create", pid);
    const started = this.#time("start", start, pid);
    const states = [this.#time("state", state, pid), this.#time("state", state, pid)] as const;
    const killed = this.#time("kill", kill, pid);
    // The caller collects the process before it asks for the container's removal.
    wait(pid);
    const deleted = this.#time("delete", remove);
    reapOrphans();
    return { create: created, start: started, state: states, kill: killed, delete: deleted };
  }

  /** Creates a container that stays until `end` is called for it. */
  begin(): Waiting {
    const id = newId();
    const created = this.stopwatch.time(this.#prepareCreate(id));
    return { id, pid: this.#readPid(), created };
  }

  /** Ends a waiting container and removes it. */
  end({ id, pid }: Waiting): void {
    process.kill(pid, "SIGKILL");
    wait(pid);
    this.stopwatch.time(this.#prepare("delete", id));
    reapOrphans();
  }

  /** Milliseconds of create alone. */
  create(): number {
    const waiting = this.begin();
    this.end(waiting);
    return waiting.created;
  }

  /** Milliseconds of `list`. */
  list(): number {
    return this.stopwatch.time(this.#prepare("list"));
  }

  /** Milliseconds of `run`, in the foreground; the bundle's process must be one that ends. */
  run(): number {
    const elapsed = this.#time("run", this.#prepare("run", "--bundle", this.bundle, newId()));
    reapOrphans();
    return elapsed;
  }
}
