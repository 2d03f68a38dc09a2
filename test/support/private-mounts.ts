/** A mount namespace of the test's own, held open by a sleeping process: what is mounted there, the machine never sees. */
import { Running, until } from "./command.ts";

export class PrivateMounts {
  readonly #holder: Running;

  private constructor(holder: Running) {
    this.#holder = holder;
  }

  /** Makes the namespace, private from the machine's own, and runs a shell script in it first. */
  static async make(setup = "true"): Promise<PrivateMounts> {
    const script = `set -e; ${setup}; exec sleep 10000`;
    // Should the tests be killed, it goes with them.
    const wrap = [
      "setpriv",
      "--pdeathsig=KILL",
      "--",
      "unshare",
      "--mount",
      "--propagation",
      "private",
      "--",
    ];
    const holder = new Running([...wrap, "sh", "-c", script], { timeout: 2 ** 30 });
    let failure: string | undefined;
    // It ends only by being killed, or because the script failed.
    holder.finished.then(
      ({ status, stderr }) => {
        if (status !== 128 + 9) failure = stderr;
      },
      () => {},
    );
    await until("the private mount namespace", async () => {
      if (failure !== undefined) throw new Error(`setting up private mounts: ${failure}`);
      const name = await Bun.file(`/proc/${holder.pid}/comm`).text();
      return name.trim() === "sleep";
    });
    return new PrivateMounts(holder);
  }

  /** What to put before a command so that it runs in there, with `cwd` as its directory. */
  enter(cwd: string): string[] {
    return ["nsenter", `--target=${this.#holder.pid}`, "--mount", `--wd=${cwd}`, "--"];
  }

  /** The process whose /proc/PID/mountinfo and /proc/PID/root show the namespace. */
  get pid(): number {
    return this.#holder.pid;
  }

  /** Lets the namespace go. */
  async close(): Promise<void> {
    this.#holder.kill("SIGKILL");
    await this.#holder.finished;
  }
}

/** The script that makes a machine with a hybrid layout look like one with cgroup2 alone. */
export const plainCgroup2 = "mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup";
