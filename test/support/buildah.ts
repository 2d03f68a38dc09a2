/** buildah, with a storage of its own in a test's directory, running its containers with the runtime under test. */
import { copyFileSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "./accounts.ts";
import { type CommandOptions, command, type Finished, output, Running } from "./command.ts";
import { runtimePath, searchPath } from "./machine.ts";
import type { Workspace } from "./workspace.ts";

export interface BuildOptions extends CommandOptions {
  /** Options of `buildah build`. */
  flags?: string[];
  /** Another runtime than the one under test. */
  runtime?: string;
  /** What to put before the whole command. */
  wrap?: string[];
  /** Files of the build context: name and text. */
  context?: Record<string, string>;
}

export class Buildah {
  readonly home: string;
  readonly #runtime: string;
  #serial = 0;
  #base: Promise<string> | undefined;

  constructor(
    readonly box: Workspace,
    readonly account: Account,
    readonly isolation: "oci" | "rootless" | "chroot",
  ) {
    this.home = box.directory(`buildah-${account.name}-${isolation}`);
    // Ids that a user namespace maps to others must be able to pass.
    for (const name of ["tmp", "run"]) mkdirSync(join(this.home, name), { mode: 0o711 });
    this.#runtime = reachable(box);
  }

  get env(): Record<string, string> {
    return {
      PATH: searchPath,
      HOME: this.home,
      USER: this.account.name,
      XDG_RUNTIME_DIR: join(this.home, "run"),
      TMPDIR: join(this.home, "tmp"),
      TERM: "dumb",
    };
  }

  /** The whole command line of buildah with these arguments. */
  argv(args: string[], runtime = this.#runtime): string[] {
    const storage = ["--root", join(this.home, "storage"), "--runroot", join(this.home, "run/storage")];
    const [verb = "", ...rest] = args;
    const flags = ["build", "run", "from"].includes(verb) ? ["--isolation", this.isolation] : [];
    if (verb === "build" || verb === "run") flags.push("--runtime", runtime, "--network", this.#network);
    return [
      ...this.account.become,
      "buildah",
      ...storage,
      "--storage-driver",
      "vfs",
      verb,
      ...flags,
      ...rest,
    ];
  }

  /** A network of one's own needs set-up that a plain user has no program for here. */
  get #network(): string {
    return this.account.uid === 0 ? "none" : "host";
  }

  /** The image that tests start from: busybox, /etc/passwd, PATH. Built once. */
  base(): Promise<string> {
    this.#base ??= this.#buildBase();
    return this.#base;
  }

  async #buildBase(): Promise<string> {
    const { rootfs } = this.box.bundle();
    for (const name of ["mnt", "run"]) mkdirSync(join(rootfs, name));
    const { status, stderr } = await this.build(["FROM scratch", "COPY . /", "ENV PATH=/bin"], {
      flags: ["--tag", "base", rootfs],
    });
    if (status !== 0) throw new Error(`building the base image: ${stderr}`);
    return "localhost/base";
  }

  /** Runs `buildah build` with these lines as Containerfile. */
  async build(lines: string[], options: BuildOptions = {}): Promise<Finished> {
    return (await this.building(lines, options)).finished;
  }

  async building(lines: string[], options: BuildOptions = {}): Promise<Running> {
    const directory = join(this.home, `context-${++this.#serial}`);
    mkdirSync(directory);
    writeFileSync(join(directory, "Containerfile"), `${lines.join("\n")}\n`);
    for (const [name, text] of Object.entries(options.context ?? {}))
      writeFileSync(join(directory, name), text);
    await this.#own();
    const flags = options.flags ?? [];
    const context = flags.at(-1)?.startsWith("/") ? [] : [directory];
    const args = ["build", "--file", join(directory, "Containerfile"), ...flags, ...context];
    const argv = [...(options.wrap ?? []), ...this.argv(args, options.runtime)];
    return new Running(argv, { timeout: 60_000, env: this.env, ...options });
  }

  /** Builds from the base image and gives what the RUN steps printed. */
  async run(steps: string[], options: BuildOptions = {}): Promise<Finished> {
    return this.build([`FROM ${await this.base()}`, ...steps], options);
  }

  /** Any other command of buildah. */
  async call(...args: string[]): Promise<Finished> {
    await this.#own();
    return command(this.argv(args), { env: this.env, timeout: 60_000 });
  }

  /** The user must own what the test has made for it. */
  async #own(): Promise<void> {
    if (this.account.uid === 0) return;
    await output(["chown", "-R", `${this.account.uid}:${this.account.gid}`, this.home]);
  }
}

/** The runtime's path, one that any user can get to: the repository may lie in somebody's own directory. */
export function reachable(box: Workspace): string {
  if (!runtimePath.includes("/dist/")) return runtimePath;
  const path = join(box.path, "bunc");
  try {
    linkSync(runtimePath, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EXDEV") copyFileSync(runtimePath, path);
    else if (code !== "EEXIST") symlinkSync(runtimePath, path);
  }
  return path;
}
