/** containerd with directories of its own, its shim calling a runtime of the test's choice. */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findGroups, removeGroups } from "./cgroups.ts";
import { type CommandOptions, command, type Finished, output, Running, until } from "./command.ts";
import { searchPath } from "./machine.ts";
import { OnTerminal } from "./pty.ts";
import type { Workspace } from "./workspace.ts";

/** Also the name of the control groups that containerd puts its containers in. */
const namespace = `bunc-test-containerd-${process.pid}`;

// What the tests do not use, and what would look for devices of the machine's.
const unused = ["io.containerd.grpc.v1.cri", ...["zfs", "btrfs", "aufs", "devmapper"].map(snapshotter)];

function snapshotter(name: string): string {
  return `io.containerd.snapshotter.v1.${name}`;
}

export class Containerd {
  readonly #directory: string;
  readonly #socket: string;
  readonly #daemon: Running;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#socket = join(directory, "containerd.sock");
    const file = join(directory, "config.toml");
    const configuration = [
      "version = 2",
      `root = "${join(directory, "root")}"`,
      `state = "${join(directory, "state")}"`,
      `disabled_plugins = ${JSON.stringify(unused)}`,
      "[grpc]",
      `  address = "${this.#socket}"`,
    ];
    writeFileSync(file, `${configuration.join("\n")}\n`);
    this.#daemon = new Running(["containerd", "--config", file], { timeout: 600_000 });
  }

  static async start(box: Workspace): Promise<Containerd> {
    const containerd = new Containerd(box.directory("containerd"));
    await until("containerd", async () => (await containerd.call(["version"])).status === 0);
    return containerd;
  }

  argv(args: string[]): string[] {
    return ["ctr", "--address", this.#socket, "--namespace", namespace, ...args];
  }

  call(args: string[], options: CommandOptions = {}): Promise<Finished> {
    return command(this.argv(args), { timeout: 30_000, ...options });
  }

  /** A command that must succeed; gives what it printed. */
  output(args: string[], options: CommandOptions = {}): Promise<string> {
    return output(this.argv(args), { timeout: 30_000, ...options });
  }

  onTerminal(args: string[]): OnTerminal {
    return new OnTerminal(this.argv(args), {
      env: { PATH: searchPath, TERM: "dumb" },
      rows: 30,
      columns: 90,
    });
  }

  /** Ends what is left of the containers, and the daemon; each shim ends with its container. */
  async close(): Promise<void> {
    const left = (await this.call(["tasks", "list", "--quiet"])).stdout.split("\n").filter(Boolean);
    for (const id of left) await this.call(["tasks", "delete", "--force", id]);
    this.#daemon.kill("SIGTERM");
    await this.#daemon.finished;
    const tasks = join(this.#directory, "state/io.containerd.runtime.v2.task", namespace);
    await until("the end of the shims", () => !existsSync(tasks) || readdirSync(tasks).length === 0);
    if (findGroups(namespace).length > 0) removeGroups(namespace);
  }
}
