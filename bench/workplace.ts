/** Where everything is measured: directories and a mount namespace of its own, and nothing of them left at the end. */
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cgroupLayout, type Layout, readMounts } from "./machine.ts";
import { becomeSubreaper, leaveCgroupNamespace, reapOrphans } from "./native.ts";

export interface Workplace {
  /** Bundles, images, root file system. */
  readonly directory: string;
  /** The runtimes' state: in /run, as their own would be. */
  readonly state: string;
  readonly emptyBinary: string;
}

const variable = "BUNC_BENCH_WORKPLACE";

/** The place that was made for this process; undefined in the process that has to make one. */
export function currentWorkplace(): Workplace | undefined {
  const text = process.env[variable];
  return text === undefined ? undefined : (JSON.parse(text) as Workplace);
}

/** Makes the directories. */
export function makeDirectories(): Omit<Workplace, "emptyBinary"> {
  return {
    directory: mkdtempSync(join(tmpdir(), "bunc-bench-")),
    state: mkdtempSync("/run/bunc-bench-"),
  };
}

/** The children of every thread of this process, orphans among them. */
function children(): number[] {
  return readdirSync("/proc/self/task").flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
}

/** Ends what a run that was cut short has left running: killed processes hand their own children to this one. */
async function endOrphans(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    reapOrphans();
    const pids = children();
    if (pids.length === 0) return;
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await Bun.sleep(10);
  }
}

/** Removes the cgroups of containers that a run has left behind, deepest first. */
function removeCgroups(ids: readonly string[]): void {
  for (const id of ids) {
    const found = [
      ...new Bun.Glob(`**/*${id}*`).scanSync({ cwd: "/sys/fs/cgroup", onlyFiles: false, absolute: true }),
    ];
    for (const path of found.sort((a, b) => b.length - a.length)) {
      try {
        rmdirSync(path);
      } catch {
        console.error(`left behind: ${path}`);
      }
    }
  }
}

/** The ids of containers in the runtimes' state: ours, and those that buildah made for us. */
function leftContainers(state: string): string[] {
  return readdirSync(state)
    .flatMap((root) => readdirSync(join(state, root)))
    .filter((name) => /^(bunc-bench-|buildah-buildah)\d[\d-]*$/.test(name));
}

async function clean({ directory, state }: Workplace): Promise<void> {
  await endOrphans();
  removeCgroups(leftContainers(state));
  for (const tree of [directory, state]) {
    // What is mounted below may be anything of the machine's.
    if (readMounts().some(({ target }) => target.startsWith(`${tree}/`)))
      console.error(`left: ${tree} has mounts`);
    else rmSync(tree, { recursive: true });
  }
}

// A runtime that hangs must not hang this for ever.
const LIMIT = 20 * 60_000;

/**
 * Runs this program once more, with the same arguments, in a mount namespace of its own; cleans up after it.
 * @returns its exit status
 */
export async function runInside(workplace: Workplace): Promise<number> {
  becomeSubreaper();
  const inside = Bun.spawn(
    ["unshare", "--mount", "--propagation", "private", "--", process.execPath, ...process.argv.slice(1)],
    {
      env: { ...process.env, [variable]: JSON.stringify(workplace) },
      stdio: ["ignore", "inherit", "inherit"],
      timeout: LIMIT,
      killSignal: "SIGKILL",
    },
  );
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => inside.kill("SIGKILL"));
  try {
    return await inside.exited;
  } finally {
    await clean(workplace);
  }
}

/**
 * Shows only the v2 tree at /sys/fs/cgroup, for crun refuses a hybrid layout, as a cgroup namespace of this process's own
 * has it. In the machine's own, each mount of cgroup2 takes the machine's mount options back (nsdelegate), and on Linux 6.18
 * waits for an RCU grace period: 8 to 18 ms, which are the kernel's and not the runtime's. Only to be called in a mount
 * namespace of one's own; on v1 alone it does nothing.
 * @returns what the layout was
 */
export function showUnifiedCgroups(): Layout {
  const layout = cgroupLayout(readMounts());
  if (layout === "v1") return layout;
  leaveCgroupNamespace();
  const { exitCode } = Bun.spawnSync(["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"]);
  if (exitCode !== 0) throw new Error("cgroup2 could not be mounted at /sys/fs/cgroup");
  return layout;
}
