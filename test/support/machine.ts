/** What the tests run on, and which runtime they drive. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";

export const repository = resolve(import.meta.dir, "../..");

/** Debian keeps runc and useradd out of a plain user's PATH. */
export const searchPath = `${process.env.PATH ?? "/usr/bin:/bin"}:/usr/local/sbin:/usr/sbin:/sbin`;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Finds a program as a shell would; a name with a slash is relative to the repository. */
export function findProgram(name: string): string | undefined {
  const paths = name.includes("/")
    ? [resolve(repository, name)]
    : searchPath.split(":").map((directory) => `${directory}/${name}`);
  return paths.find(isExecutable);
}

export const hasProgram = (name: string): boolean => findProgram(name) !== undefined;

export type RuntimeKind = "bunc" | "runc" | "crun";

function requireProgram(name: string): string {
  const path = findProgram(name);
  if (path === undefined)
    throw new Error(`the runtime to test, ${name}, was not found: run bin/build, or set BUNC_TEST_RUNTIME`);
  return path;
}

const named = process.env.BUNC_TEST_RUNTIME ?? "dist/bunc";

/** Absolute path of the runtime under test. */
export const runtimePath = requireProgram(named);

function kindOf(path: string): RuntimeKind {
  const name = basename(path);
  return name === "runc" || name === "crun" ? name : "bunc";
}

/** Which runtime it is: tests of what peers do differently ask. */
export const runtimeKind = kindOf(runtimePath);

export const isRoot = process.getuid?.() === 0;

function cgroupLayout(): "v1" | "hybrid" | "v2" {
  if (existsSync("/sys/fs/cgroup/cgroup.controllers")) return "v2";
  return existsSync("/sys/fs/cgroup/unified/cgroup.procs") ? "hybrid" : "v1";
}

/** Which cgroup hierarchies are mounted on /sys/fs/cgroup. */
export const cgroups = cgroupLayout();

/** The capabilities of this process that can be given away, as a bit mask. */
export const ownCapabilities = BigInt(
  `0x${/^CapBnd:\s*(\w+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0"}`,
);
