/** A container that was created: what a caller such as buildah or conmon does with it. */
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finished, isAlive, until } from "./command.ts";
import { reap } from "./libc.ts";
import type { Bundle, ContainerOptions, Workspace } from "./workspace.ts";

export interface State {
  ociVersion: string;
  id: string;
  status: string;
  pid: number;
  bundle: string;
  annotations?: Record<string, string>;
}

export class Container {
  /** The process id of init, from the pid file. */
  pid = 0;
  #reaped: number | undefined;
  #deleted = false;

  constructor(
    readonly workspace: Workspace,
    readonly bundle: Bundle,
    readonly id: string,
  ) {}

  get pidFile(): string {
    return join(this.bundle.path, "pid");
  }

  /** Calls `create`. Standard output and error of the container are files: it outlives the call. */
  async create(options: ContainerOptions): Promise<Finished> {
    const files = ["stdout", "stderr"].map((name) => openSync(join(this.bundle.path, name), "a+"));
    const [stdout, stderr] = files;
    const args = [
      "create",
      "--bundle",
      this.bundle.path,
      "--pid-file",
      this.pidFile,
      ...(options.flags ?? []),
      this.id,
    ];
    const { status } = await this.workspace.runtime(args, {
      ...(stdout === undefined || stderr === undefined ? {} : { stdout, stderr }),
      ...options,
      ...(options.inBundle === true ? { cwd: this.bundle.path } : {}),
    });
    for (const file of files) closeSync(file);
    if (status === 0) this.pid = Number(readFileSync(this.pidFile, "utf8"));
    return { status, stdout: this.stdout, stderr: this.stderr };
  }

  /** What the container (and `create`) wrote to standard output until now. */
  get stdout(): string {
    return readFileSync(join(this.bundle.path, "stdout"), "utf8");
  }

  get stderr(): string {
    return readFileSync(join(this.bundle.path, "stderr"), "utf8");
  }

  call(verb: string, ...args: string[]): Promise<Finished> {
    return this.workspace.runtime([verb, this.id, ...args]);
  }

  /** `start`, which must succeed. */
  async start(): Promise<void> {
    const { status, stderr } = await this.call("start");
    if (status !== 0) throw new Error(`start: exit status ${status}: ${stderr}`);
  }

  async state(): Promise<State> {
    const { status, stdout, stderr } = await this.call("state");
    if (status !== 0) throw new Error(`state: exit status ${status}: ${stderr}`);
    return JSON.parse(stdout) as State;
  }

  async status(): Promise<string> {
    return (await this.state()).status;
  }

  kill(...signal: string[]): Promise<Finished> {
    return this.call("kill", ...signal);
  }

  /** Waits for init, which is a child of this process by now, and gives its exit status (128 + n for signal n). */
  async exit(timeout?: number): Promise<number> {
    this.#reaped ??= await until(
      `init of ${this.id} to end`,
      () => {
        const status = reap(this.pid);
        // `until` waits while a probe gives undefined or false, and 0 is neither.
        return status;
      },
      timeout,
    );
    return this.#reaped;
  }

  /** Waits until init has ended, and leaves the zombie. */
  async zombie(): Promise<void> {
    await until(`init of ${this.id} to become a zombie`, () => !isAlive(this.pid));
  }

  /** `delete`, which must succeed. */
  async delete(...flags: string[]): Promise<void> {
    const { status, stderr } = await this.workspace.runtime(["delete", ...flags, this.id]);
    if (status !== 0) throw new Error(`delete: exit status ${status}: ${stderr}`);
    this.#deleted = true;
    await this.#reapQuietly();
  }

  /** Whatever state it is in, ends it and reaps its init. */
  async discard(): Promise<void> {
    if (this.pid === 0) return;
    if (!this.#deleted) await this.workspace.deleteLeft(this.id);
    await this.#reapQuietly();
  }

  async #reapQuietly(): Promise<void> {
    if (this.#reaped !== undefined) return;
    try {
      await this.exit(2000);
    } catch {
      // Reaped already by a test of its own, or no child of this process.
    }
  }

  /** Starts it, waits for its end, deletes it; gives what it wrote to standard output. */
  async finish(): Promise<Finished> {
    await this.start();
    const status = await this.exit();
    await this.delete();
    return { status, stdout: this.stdout, stderr: this.stderr };
  }
}
