/** What the figures were measured on. */
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";

export type Layout = "v1" | "hybrid" | "v2";

interface Mount {
  readonly target: string;
  readonly type: string;
}

/** /proc/self/mountinfo: later mounts cover earlier ones. */
export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [before = "", after = ""] = line.split(" - ");
      return { target: before.split(" ")[4] ?? "", type: after.split(" ")[0] ?? "" };
    });
}

/** How cgroups are mounted. */
export function cgroupLayout(mounts: readonly Mount[]): Layout {
  const top = "/sys/fs/cgroup";
  if (mounts.findLast(({ target }) => target === top)?.type === "cgroup2") return "v2";
  const isBeside = mounts.some(({ target, type }) => type === "cgroup2" && target.startsWith(`${top}/`));
  return isBeside ? "hybrid" : "v1";
}

export const readMounts = (): Mount[] => parseMounts(readFileSync("/proc/self/mountinfo", "utf8"));

/** The type of the file system that holds a path. */
export function fileSystemOf(path: string, mounts: readonly Mount[]): string {
  const holds = ({ target }: Mount) => target === "/" || path === target || path.startsWith(`${target}/`);
  const best = mounts.filter(holds).reduce((a, b) => (b.target.length >= a.target.length ? b : a));
  return best.type;
}

const firstLine = (argv: string[]): string => {
  const { exitCode, stdout } = Bun.spawnSync(argv, {
    cwd: import.meta.dir,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return exitCode === 0 ? (stdout.toString().split("\n")[0] ?? "") : "";
};

/** The commit that is checked out, with "+" when files of it have changed; empty outside of a git checkout. */
function commit(): string {
  const name = firstLine(["git", "rev-parse", "--short", "HEAD"]);
  return name === "" ? "" : name + (firstLine(["git", "status", "--porcelain", "-uno"]) === "" ? "" : "+");
}

export interface Machine {
  readonly date: string;
  readonly kernel: string;
  readonly system: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Of the last minute, before anything was measured. */
  readonly load: number;
  readonly layout: Layout;
  /** The types of the file systems that hold the bundles and the runtimes' state. */
  readonly fileSystems: { readonly bundles: string; readonly state: string };
  readonly bun: string;
  readonly buildah: string;
  readonly commit: string;
}

/**
 * @param bundles a directory that holds the bundles
 * @param state a directory that holds the runtimes' state
 */
export function describeMachine(bundles: string, state: string): Machine {
  const mounts = readMounts();
  const release_ = readFileSync("/etc/os-release", "utf8");
  return {
    date: new Date().toISOString().slice(0, 10),
    kernel: release(),
    system: /^PRETTY_NAME="?([^"\n]+)/m.exec(release_)?.[1] ?? "Linux",
    processor: cpus()[0]?.model.trim() ?? process.arch,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0] ?? 0,
    layout: cgroupLayout(mounts),
    fileSystems: { bundles: fileSystemOf(bundles, mounts), state: fileSystemOf(state, mounts) },
    bun: Bun.version,
    buildah: /version (\S+)/.exec(firstLine(["buildah", "--version"]))?.[1] ?? "unknown",
    commit: commit(),
  };
}
