/**
 * A criu that works on this kernel. Debian 12's, 3.17, cannot start on Linux 6.13 and newer, where the vDSO's data has two
 * areas; the one of Debian 13 can. It is fetched from the machine's own mirror into a directory of the test's, with the
 * libraries that it was built for, and nothing of the machine is changed.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ownMirror } from "./debian.ts";
import { findProgram, isRoot, searchPath } from "./machine.ts";

export interface FoundCriu {
  /** What PATH begins with so that the runtimes find it. */
  readonly directory: string;
}

function run(program: string, args: readonly string[], timeout = 120_000): boolean {
  try {
    execFileSync(program, args, { env: { ...process.env, PATH: searchPath }, timeout, stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

const newerSuite = "trixie";

/** Fetches criu and its libraries; undefined when that is not possible. */
function fetchNewer(directory: string): string | undefined {
  const mirror = ownMirror();
  const [keyring, machine] = ["/usr/share/keyrings/debian-archive-keyring.gpg", process.arch];
  if (mirror === undefined || machine !== "x64") return undefined;
  const inside = (name: string) => join(directory, name);
  for (const name of ["lists/partial", "cache/archives/partial", "state", "root", "bin"])
    mkdirSync(inside(name), { recursive: true });
  writeFileSync(inside("sources.list"), `deb [signed-by=${keyring}] ${mirror.uri} ${newerSuite} main\n`);
  writeFileSync(inside("status"), "");
  const settings = {
    "Dir::State": inside("state"),
    "Dir::State::Lists": inside("lists"),
    "Dir::State::Status": inside("status"),
    "Dir::Cache": inside("cache"),
    "Dir::Etc::SourceList": inside("sources.list"),
    "Dir::Etc::SourceParts": "/dev/null",
    "Debug::NoLocking": "1",
    "Acquire::Languages": "none",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const fetched =
    run("apt-get", [...options, "update"]) &&
    run("apt-get", [...options, "install", "-y", "--no-install-recommends", "--download-only", "criu"]) &&
    run(
      "sh",
      ["-c", `set -e; for each in "$1"/*.deb; do dpkg-deb -x "$each" "$2"; done`, "sh"].concat([
        inside("cache/archives"),
        inside("root"),
      ]),
    );
  if (!fetched) return undefined;
  const usr = inside("root/usr");
  const loader = `${usr}/lib64/ld-linux-x86-64.so.2`;
  const wrapper = `#!/bin/sh\nexec ${loader} --library-path ${usr}/lib/x86_64-linux-gnu ${usr}/sbin/criu "$@"\n`;
  writeFileSync(inside("bin/criu"), wrapper);
  chmodSync(inside("bin/criu"), 0o755);
  return inside("bin/criu");
}

const works = (criu: string): boolean => run(criu, ["check"], 30_000);

/**
 * Finds a criu, and fetches one when the machine's own does not work.
 * @param box where it is kept for as long as the tests run
 */
export function findCriu(box: { directory(name: string): string }): {
  criu: FoundCriu | undefined;
  reason: string;
} {
  if (!isRoot) return { criu: undefined, reason: "needs root" };
  const own = findProgram("criu");
  if (own !== undefined && works(own)) return { criu: { directory: join(own, "..") }, reason: "" };
  const fetched = fetchNewer(box.directory("criu"));
  if (fetched !== undefined && works(fetched))
    return { criu: { directory: join(fetched, "..") }, reason: "" };
  return {
    criu: undefined,
    reason: `${own === undefined ? "there is no criu" : "the machine's criu does not work on its kernel"}, and none could be fetched`,
  };
}
