/** Containers that are dumped and restored, and the tests of that. */
import { afterAll, expect } from "bun:test";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finished, isAlive, processStatus, statusField, until } from "./command.ts";
import { type Change, type Config, shell } from "./config.ts";
import { type FoundCriu, findCriu } from "./criu.ts";
import { reap } from "./libc.ts";
import { searchPath } from "./machine.ts";
import { peersDiffer, testIf } from "./peers.ts";
import type { Bundle, Workspace } from "./workspace.ts";

const crunLacksIt = "Debian's is built without criu";

/** What tests of checkpoints need beside a workspace. */
export class Checkpoints {
  readonly env: Record<string, string>;
  /** /dev/null, for streams that are nobody's. */
  readonly nothing: number;
  readonly #criu: FoundCriu | undefined;
  readonly #reason: string;

  constructor(readonly box: Workspace) {
    const { criu, reason } = findCriu(box);
    this.#criu = criu;
    this.#reason = reason;
    this.env = { PATH: criu ? `${criu.directory}:${searchPath}` : searchPath };
    this.nothing = openSync("/dev/null", "r+");
    afterAll(() => closeSync(this.nothing));
  }

  /** A test with criu, of every runtime that has it. */
  test(title: string, body: () => Promise<void>): void {
    if (this.#criu === undefined) testIf(false, this.#reason)(title, body);
    else peersDiffer({ crun: crunLacksIt })(title, body, 60_000);
  }

  /** A container of this configuration, not created yet. */
  container(config: Config): Detached {
    return new Detached(this, config);
  }
}

/** A container that runs detached, without any tie to the test but files. */
export class Detached {
  readonly id: string;
  readonly bundle: Bundle;
  readonly images: string;

  constructor(
    private readonly place: Checkpoints,
    config: Config,
  ) {
    this.id = place.box.id();
    this.bundle = place.box.bundle(config);
    this.images = join(this.bundle.path, "images");
  }

  /** Calls the runtime: what it says is in a file, since the container keeps its streams. */
  async call(verb: string, ...args: string[]): Promise<Finished> {
    const log = join(this.bundle.path, "log");
    const { box, env, nothing } = this.place;
    const silent = { stdin: nothing, stdout: nothing, stderr: nothing, timeout: 40_000 };
    const { status } = await box.runtime([verb, ...args, this.id], {
      env,
      ...silent,
      globals: ["--log", log],
    });
    return { status, stdout: "", stderr: existsSync(log) ? readFileSync(log, "utf8") : "" };
  }

  /** A call that must succeed. */
  async must(verb: string, ...args: string[]): Promise<void> {
    const { status, stderr } = await this.call(verb, ...args);
    const criuLog = ["dump.log", "restore.log"].map((name) => this.imageFile(name)).join("");
    const said = criuLog
      .split("\n")
      .filter((line) => line.includes("Error"))
      .join("\n");
    if (status !== 0) throw new Error(`${verb}: exit status ${status}: ${stderr}\n${said}`);
  }

  run(): Promise<void> {
    return this.must("run", "--detach", "--bundle", this.bundle.path);
  }

  async checkpoint(...args: string[]): Promise<void> {
    const pid = await this.pid();
    await this.must("checkpoint", "--image-path", this.images, ...args);
    // Its number is free for the restored one only when somebody has waited for it.
    if (!isAlive(pid) && isOwnChild(pid)) reap(pid);
  }

  restore(...args: string[]): Promise<void> {
    return this.must(
      "restore",
      "--detach",
      "--bundle",
      this.bundle.path,
      "--image-path",
      this.images,
      ...args,
    );
  }

  async state(): Promise<{ status: string; pid: number } | undefined> {
    const { status, stdout } = await this.place.box.runtime(["state", this.id]);
    return status === 0 ? JSON.parse(stdout) : undefined;
  }

  async pid(): Promise<number> {
    const state = await this.state();
    if (state?.status !== "running") throw new Error(`${this.id} does not run: ${JSON.stringify(state)}`);
    return state.pid;
  }

  /** The content of a file of the container's root; "" while it is not there. */
  file(name: string): string {
    const path = join(this.bundle.rootfs, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  imageFile(name: string): string {
    const path = join(this.images, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** Waits until the container has counted on; gives the number that it began with, and where it is. */
  async counts(): Promise<number> {
    const lines = () => this.file("count").split("\n").slice(0, -1);
    const before = lines().length;
    await until(`${this.id} to count`, () => lines().length > before + 2);
    const numbers = lines().map(Number);
    // Not one was left out, and not one was counted twice: it is the same process.
    expect(numbers).toEqual(numbers.map((_, index) => index));
    return before;
  }

  async kill(): Promise<void> {
    expect(await this.place.box.runtime(["kill", this.id, "KILL"])).toMatchObject({ status: 0 });
  }

  async delete(): Promise<void> {
    const pid = (await this.state())?.pid ?? 0;
    await this.place.box.runtime(["delete", "--force", this.id]);
    if (pid > 0) await until("init to be reaped", () => reap(pid) !== undefined || !isAlive(pid));
  }
}

/** Whether a process, or what is left of it, waits for this one to wait for it. */
function isOwnChild(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && statusField(processStatus(pid), "PPid") === String(process.pid);
}

/** Counts in a variable of the shell's, which is in no file. */
export const counter = (change: Change = () => {}): Config =>
  shell("i=0; while :; do echo $i >> /count; i=$((i+1)); usleep 20000; done", change);
