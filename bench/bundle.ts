/** The bundles that are measured: buildah's own config.json, taken from buildah itself. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Buildah } from "./buildah.ts";

/** As much of config.json as is changed here. */
interface Config {
  root: { path: string };
  process: { args: string[] };
  mounts: { source?: string }[];
  linux: { seccomp?: unknown };
}

/** With buildah's seccomp profile, or without it. */
export type Variant = "profile" | "plain";

/** Directories of bundles. */
export interface Bundles {
  /** The process sleeps. */
  readonly sleep: Readonly<Record<Variant, string>>;
  /** The process is /bin/true. */
  readonly true: Readonly<Record<Variant, string>>;
}

/** Makes a root filesystem of busybox. Throws when there is no busybox. */
export function makeRootfs(directory: string): void {
  const busybox = Bun.which("busybox");
  if (!busybox) throw new Error("busybox was not found (Debian: busybox-static)");
  mkdirSync(join(directory, "bin"), { recursive: true });
  copyFileSync(busybox, join(directory, "bin/busybox"));
  for (const name of ["sh", "sleep", "true"]) symlinkSync("busybox", join(directory, "bin", name));
}

// A runtime that keeps what it was given and fails. The bundle's mnt holds mounts, and is not to be copied.
const thief = (taken: string) => `#!/bin/sh
while [ $# -gt 1 ]; do
  if [ "$1" = --bundle ]; then
    cd "$2" && for entry in *; do [ "$entry" = mnt ] || cp -a "$entry" '${taken}/'; done
  fi
  shift
done
exit 1
`;

/**
 * Has buildah run a container, and takes the bundle that it makes for its runtime.
 * @param taken a directory, made here, that gets the bundle without its root filesystem
 * @throws when buildah does not come as far as the runtime, with what it says
 */
function takeBundle(buildah: Buildah, taken: string): Config {
  mkdirSync(taken);
  const script = `${taken}.sh`;
  writeFileSync(script, thief(taken), { mode: 0o755 });
  const message = buildah.runTrue(script);
  const file = join(taken, "config.json");
  if (!existsSync(file)) throw new Error(`buildah did not call its runtime: ${message}`);
  return JSON.parse(readFileSync(file, "utf8")) as Config;
}

/** Makes the bundles that are measured, in `directory`. Their only difference from buildah's are paths and arguments. */
export function makeBundles(buildah: Buildah, rootfs: string, directory: string): Bundles {
  const taken = join(directory, "taken");
  const config = takeBundle(buildah, taken);
  const original = config.root.path.replace(/\/mnt\/rootfs$/, "");
  config.root.path = rootfs;
  for (const mount of config.mounts) {
    if (mount.source?.startsWith(`${original}/`)) mount.source = taken + mount.source.slice(original.length);
  }
  if (config.linux.seccomp === undefined) throw new Error("buildah's config.json has no seccomp profile");

  const make = (name: string, args: string[], variant: Variant): string => {
    const bundle = join(directory, `${name}-${variant}`);
    mkdirSync(bundle);
    const { seccomp: _, ...plain } = config.linux;
    const linux = variant === "profile" ? config.linux : plain;
    const changed = { ...config, process: { ...config.process, args }, linux };
    // On one line, as buildah writes it.
    writeFileSync(join(bundle, "config.json"), JSON.stringify(changed), { mode: 0o600 });
    return bundle;
  };
  const both = (name: string, args: string[]) => ({
    profile: make(name, args, "profile"),
    plain: make(name, args, "plain"),
  });
  return { sleep: both("sleep", ["/bin/sleep", "1000"]), true: both("true", ["/bin/true"]) };
}
