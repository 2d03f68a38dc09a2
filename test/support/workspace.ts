/** A directory of its own for each test file: bundles, the runtime's state, and everything that must be cleaned up after. */
import { afterAll, setDefaultTimeout } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type CommandOptions, command, type Finished, output, Running } from "./command.ts";
import type { Config } from "./config.ts";
import { Container } from "./container.ts";
import { becomeSubreaper } from "./libc.ts";
import { cgroups, runtimeKind, runtimePath } from "./machine.ts";
import { PrivateMounts, plainCgroup2 } from "./private-mounts.ts";
import { copyBusybox, makeRootfs } from "./rootfs.ts";

becomeSubreaper();

let serial = 0;

export interface Bundle {
  path: string;
  rootfs: string;
}

/** What `run` and `create` take beside the config. */
export interface ContainerOptions extends CommandOptions {
  /** Changes the root file system before the runtime sees it. */
  prepare?: (rootfs: string) => void;
  /** Options of the command, such as --pid-file. */
  flags?: string[];
  /** Options of the runtime, before the command. */
  globals?: string[];
  /** What to put before the runtime, such as ["prlimit", "--nofile=512"]. */
  wrap?: string[];
  id?: string;
  /** Starts the runtime in the bundle's directory, as buildah does. */
  inBundle?: boolean;
}

export class Workspace {
  readonly path: string;
  /** The directory given as --root. */
  readonly state: string;
  readonly #busybox: string;
  readonly #containers: Container[] = [];
  readonly #ids = new Set<string>();
  #mounts: PrivateMounts | undefined;

  constructor(name: string) {
    this.path = mkdtempSync(`/tmp/bunc-test-${name}-`);
    // Other users, and ids mapped to others, must be able to pass through.
    chmodSync(this.path, 0o755);
    this.state = join(this.path, "state");
    this.#busybox = copyBusybox(this.path);
  }

  /** From now on the runtime runs in a mount namespace of the test's own. */
  useMounts(mounts: PrivateMounts): void {
    this.#mounts = mounts;
  }

  /** The mount namespace in which the runtime runs, as /proc names it. */
  get mountNamespace(): string {
    return readlinkSync(`/proc/${this.#mounts?.pid ?? "self"}/ns/mnt`);
  }

  /** An id that no other test uses, on this machine, at this time; what has it is deleted in the end. */
  id(): string {
    const id = `bunc-test-${process.pid}-${++serial}`;
    this.#ids.add(id);
    return id;
  }

  /** A fresh bundle directory; without a config it has a root file system only. */
  bundle(config?: Config, prepare?: (rootfs: string) => void): Bundle {
    const path = join(this.path, `bundle-${++serial}`);
    const rootfs = join(path, "rootfs");
    mkdirSync(path);
    makeRootfs(rootfs, this.#busybox);
    if (config !== undefined) writeFileSync(join(path, "config.json"), JSON.stringify(config));
    prepare?.(rootfs);
    return { path, rootfs };
  }

  /** A directory in the workspace, made. */
  directory(name: string): string {
    const path = join(this.path, `${name}-${++serial}`);
    mkdirSync(path);
    return path;
  }

  /** The command line for the runtime with these arguments. */
  argv(args: string[], options: Pick<ContainerOptions, "globals" | "wrap" | "cwd"> = {}): string[] {
    const enter = this.#mounts?.enter(options.cwd ?? "/") ?? [];
    const own = runtimeKind === "crun" ? ["--cgroup-manager=disabled"] : [];
    return [
      ...enter,
      ...(options.wrap ?? []),
      runtimePath,
      ...own,
      "--root",
      this.state,
      ...(options.globals ?? []),
      ...args,
    ];
  }

  /** Starts the runtime and does not wait for it. */
  async spawn(args: string[], options: ContainerOptions = {}): Promise<Running> {
    // crun refuses a hybrid layout: give it one that it knows.
    if (runtimeKind === "crun" && cgroups === "hybrid" && this.#mounts === undefined) {
      this.#mounts = await PrivateMounts.make(plainCgroup2);
    }
    return new Running(this.argv(args, options), options);
  }

  /** Runs the runtime to its end. */
  async runtime(args: string[], options: ContainerOptions = {}): Promise<Finished> {
    return (await this.spawn(args, options)).finished;
  }

  /** `run` in the foreground: what the container printed, and the status that the runtime passed on. */
  async run(config: Config, options: ContainerOptions = {}): Promise<Finished> {
    return (await this.running(config, options)).finished;
  }

  /** `run` in the foreground, not waited for. */
  async running(config: Config, options: ContainerOptions = {}): Promise<Running & { id: string }> {
    const id = options.id ?? this.id();
    const { path } = this.bundle(config, options.prepare);
    const running = await this.spawn(["run", ...(options.flags ?? []), "--bundle", path, id], options);
    return Object.assign(running, { id });
  }

  /** `create`, which must succeed; the container's output goes to files. */
  async create(config: Config, options: ContainerOptions = {}): Promise<Container> {
    const container = new Container(this, this.bundle(config, options.prepare), options.id ?? this.id());
    this.#containers.push(container);
    const result = await container.create(options);
    if (result.status !== 0) throw new Error(`create: exit status ${result.status}: ${result.stderr}`);
    return container;
  }

  /** `create`, which may fail. */
  async tryCreate(config: Config, options: ContainerOptions = {}): Promise<Finished & { id: string }> {
    const id = options.id ?? this.id();
    const { path } = this.bundle(config, options.prepare);
    const args = ["create", ...(options.flags ?? []), "--bundle", path, id];
    return { ...(await this.runtime(args, options)), id };
  }

  /** Deletes a container that a test has left. What stays is a fault of the test's, or of the runtime's. */
  async deleteLeft(id: string): Promise<void> {
    const { status, stderr } = await this.runtime(["delete", "--force", id]);
    if (status !== 0 && runtimeKind === "bunc") throw new Error(`a container is left: ${stderr}`);
  }

  /** Deletes what is left of the containers, and then the directory, but never through a mount. */
  async remove(): Promise<void> {
    for (const container of this.#containers) await container.discard();
    const left = existsSync(this.state) ? readdirSync(this.state) : [];
    for (const id of this.#ids) {
      if (left.includes(id)) await this.deleteLeft(id);
    }
    await this.#mounts?.close();
    await removeTree(this.path);
  }
}

/** Deletes a directory; refuses when something is mounted beneath it. */
export async function removeTree(path: string): Promise<void> {
  const mounted = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((target) => target.startsWith(`${path}/`));
  if (mounted.length > 0)
    throw new Error(`not removed, for something is mounted there: ${mounted.join(" ")}`);
  await command(["rm", "-rf", "--one-file-system", path], { timeout: 60_000 });
}

/** The workspace of a test file: made at once, removed when its tests are over. */
export function workspace(name: string): Workspace {
  // It holds for the file that is being loaded.
  setDefaultTimeout(60_000);
  const result = new Workspace(name);
  afterAll(() => result.remove());
  return result;
}

export { command, output };
