/** The runtimes that are measured, and how each is called. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { writeAnew } from "../bin/write-anew.ts";
import type { Candidate } from "./options.ts";

/** disabled: no cgroup is made, where the runtime can be told so. */
export type Cgroups = "disabled" | "made";

interface Kind {
  readonly flags: Readonly<Record<Cgroups, readonly string[]>>;
  /** Where below its state root it keeps compiled seccomp filters. */
  readonly cache?: string;
}

const manager = {
  disabled: ["--cgroup-manager=disabled"],
  made: ["--cgroup-manager=cgroupfs"],
};

const kinds: Readonly<Record<string, Kind>> = {
  bunc: { flags: manager, cache: ".seccomp" },
  // Since crun 1.9.
  crun: { flags: manager, cache: ".cache" },
  runc: { flags: { disabled: [], made: [] } },
};

const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const project = resolve(import.meta.dir, "..");

export class Runtime {
  readonly #kind: Kind;

  /** @param name begins with a kind's name */
  constructor(
    readonly name: string,
    readonly path: string,
    /** What it calls its version: "1.8.1". */
    readonly version: string,
    /** Its containers are kept below. */
    readonly stateDirectory: string,
  ) {
    const kind = kinds[name.split("-")[0] ?? ""];
    if (!kind) throw new Error(`${name}: no kind of runtime`);
    this.#kind = kind;
  }

  /** Whether it can be told to make no cgroup. */
  get canDisableCgroups(): boolean {
    return this.#kind.flags.disabled.length > 0;
  }

  /** The options before the command. */
  flags(cgroups: Cgroups): string[] {
    return [`--root=${this.#stateRoot(cgroups)}`, ...this.#kind.flags[cgroups]];
  }

  argv(cgroups: Cgroups, ...rest: string[]): string[] {
    return [this.path, ...this.flags(cgroups), ...rest];
  }

  /** Removes the compiled seccomp filters that it keeps, if it does. */
  forgetFilters(cgroups: Cgroups): void {
    if (this.#kind.cache === undefined) return;
    rmSync(join(this.#stateRoot(cgroups), this.#kind.cache), { recursive: true, force: true });
  }

  #stateRoot(cgroups: Cgroups): string {
    return join(this.stateDirectory, `${this.name}-${cgroups}`);
  }
}

function findPath({ name, path }: Candidate): string | undefined {
  if (path !== undefined) return existsSync(path) ? resolve(path) : undefined;
  if (name === "bunc") {
    const built = join(project, "dist/bunc");
    return existsSync(built) ? built : undefined;
  }
  return Bun.which(name, { PATH: searchPath }) ?? undefined;
}

/** The first line's version: "crun version 1.8.1" gives "1.8.1". */
function readVersion(path: string): string {
  const { stdout } = Bun.spawnSync([path, "--version"], { stdio: ["ignore", "pipe", "ignore"] });
  return /version:?\s+(\S+)/.exec(stdout.toString())?.[1] ?? "unknown";
}

/** Where a run has its things. */
interface Place {
  /** Gets a copy of each runtime. */
  readonly directory: string;
  /** The runtimes keep their containers there. */
  readonly state: string;
}

/**
 * The runtimes that are there, in the order of the candidates; `report` is told of the others. Each is measured as it is after
 * it was installed, a copy that was written just now: what the page cache has of an executable that was not used for some
 * time, and in which pieces, is up to everything else that the machine has done.
 */
export function findRuntimes(
  candidates: readonly Candidate[],
  { directory, state }: Place,
  report: (message: string) => void,
): Runtime[] {
  const found: Runtime[] = [];
  for (const candidate of candidates) {
    const path = findPath(candidate);
    if (path === undefined) report(`${candidate.name} is left out: ${candidate.path ?? "it"} was not found`);
    else {
      const copies = join(directory, "runtimes", candidate.name);
      mkdirSync(copies, { recursive: true });
      const copy = join(copies, basename(path));
      writeAnew(path, copy);
      found.push(new Runtime(candidate.name, copy, readVersion(copy), state));
    }
  }
  return found;
}
