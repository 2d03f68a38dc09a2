/** podman, with a storage of its own in a test's directory, running its containers with a runtime of the test's choice. */
import { chownSync, existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Account, rootAccount } from "./accounts.ts";
import { findGroups } from "./cgroups.ts";
import { type CommandOptions, command, type Finished, output, until } from "./command.ts";
import { isRoot, searchPath } from "./machine.ts";
import { OnTerminal } from "./pty.ts";
import type { Workspace } from "./workspace.ts";

/** For --cgroup-parent: podman leaves it, and close() removes it. */
export const cgroupParent = "bunc-test-parent";

export class Podman {
  readonly home: string;
  readonly image = "localhost/busybox";

  constructor(
    box: Workspace,
    /** Absolute path; a plain user must be able to get there. */
    readonly runtime: string,
    readonly account: Account = rootAccount,
  ) {
    // A short name: podman wants its directory of running things within 50 characters.
    this.home = box.directory("p");
    // Without root there are no accounts, and no test runs.
    if (isRoot) chownSync(this.home, account.uid, account.gid);
    // podman's own limits are more than root may set where it lacks CAP_SYS_RESOURCE.
    const limits = '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1000:1000"]\n';
    // It asks nobody which runtime has --cgroup-manager disabled, and wants names.
    const abilities = '[engine]\nruntime_supports_nocgroup=["bunc","crun"]\n';
    writeFileSync(join(this.home, "containers.conf"), limits + abilities);
  }

  get env(): Record<string, string> {
    return {
      PATH: searchPath,
      HOME: this.home,
      XDG_RUNTIME_DIR: this.home,
      CONTAINERS_CONF: join(this.home, "containers.conf"),
    };
  }

  /** The whole command line of podman with these arguments. */
  argv(args: string[]): string[] {
    const directory = (option: string, name: string) => [option, join(this.home, name)];
    return [
      ...this.account.become,
      "podman",
      ...directory("--root", "root"),
      ...directory("--runroot", "run"),
      ...directory("--tmpdir", "tmp"),
      ...["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file"],
      ...["--runtime", this.runtime, ...args],
    ];
  }

  call(args: string[], options: CommandOptions = {}): Promise<Finished> {
    return command(this.argv(args), { timeout: 60_000, env: this.env, ...options });
  }

  /** A command that must succeed; gives what it printed. */
  output(args: string[], options: CommandOptions = {}): Promise<string> {
    return output(this.argv(args), { timeout: 60_000, env: this.env, ...options });
  }

  onTerminal(args: string[]): OnTerminal {
    return new OnTerminal(this.argv(args), { env: { ...this.env, TERM: "dumb" }, rows: 30, columns: 90 });
  }

  /** A plain user's podman leaves a process that keeps its user namespace. */
  #endPause(): void {
    const file = join(this.home, "tmp/pause.pid");
    if (this.account.uid !== 0 && existsSync(file))
      process.kill(Number(readFileSync(file, "utf8")), "SIGKILL");
  }

  /** Makes the image of a root file system. */
  async import(rootfs: string): Promise<void> {
    const archive = join(this.home, "image.tar");
    await output(["tar", "-C", rootfs, "-cf", archive, "."]);
    await this.output(["import", "--change", "ENV PATH=/bin", archive, this.image]);
  }

  /** Removes every container and every mount, so that the directory can be removed. */
  async close(): Promise<void> {
    if (!existsSync(join(this.home, "root")) || readdirSync(join(this.home, "root")).length === 0) return;
    await this.call(["pod", "rm", "--all", "--force", "--time", "0"]);
    await this.call(["rm", "--all", "--force", "--time", "0"]);
    this.#endPause();
    await Promise.all(["libpod_parent", cgroupParent].flatMap((name) => findGroups(name)).map(removeIfEmpty));
  }
}

/** podman leaves the cgroup above its containers' own, and those of conmon and of pods; another podman may use them. */
async function removeIfEmpty(path: string): Promise<void> {
  const remove = (): boolean => {
    try {
      if (existsSync(path)) removeGroup(path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
      return false;
    }
  };
  // The last conmon ends a moment after its container is gone.
  await until("an empty cgroup", remove, 2000).catch(() => {});
}

function removeGroup(path: string): void {
  for (const child of readdirSync(path, { withFileTypes: true }))
    if (child.isDirectory()) removeGroup(join(path, child.name));
  rmdirSync(path);
}
