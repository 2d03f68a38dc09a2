/** A Debian root file system from the mirror that this machine itself installs from: made once, for a whole test file. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { output } from "./command.ts";
import { hasProgram, isRoot, searchPath } from "./machine.ts";
import type { Workspace } from "./workspace.ts";

interface Mirror {
  uri: string;
  /** Such as bookworm. */
  suite: string;
}

/** What a program prints; "" when it fails or takes long. */
function ask(program: string, ...args: string[]): string {
  try {
    const options = { env: { ...process.env, PATH: searchPath }, timeout: 15_000, stdio: "pipe" } as const;
    return execFileSync(program, args, options).toString();
  } catch {
    return "";
  }
}

/** Where the machine's own release comes from, by the machine's configuration of apt. */
export function ownMirror(): Mirror | undefined {
  const suite = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  const format = "$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)";
  for (const line of ask("apt-get", "indextargets", "--format", format).split("\n")) {
    const [kind, release, component, uri] = line.split(" ");
    if (kind === "Packages" && release === suite && component === "main" && suite && uri)
      return { uri, suite };
  }
  return undefined;
}

const aptHelper = "/usr/lib/apt/apt-helper";

function isReachable({ uri, suite }: Mirror): boolean {
  const file = `/tmp/bunc-test-release-${process.pid}`;
  const found = ask(aptHelper, "download-file", `${uri.replace(/\/?$/, "/")}dists/${suite}/Release`, file);
  ask("rm", "-f", file);
  return found.includes("Get:") || found.includes("Fetched");
}

/** The mirror; undefined, with the reason, where no Debian can be made. */
export function findMirror(): { mirror: Mirror | undefined; reason: string } {
  if (!isRoot || !hasProgram("debootstrap"))
    return { mirror: undefined, reason: "needs root and debootstrap" };
  const mirror = ownMirror();
  if (mirror === undefined) return { mirror: undefined, reason: "apt has no sources here" };
  return isReachable(mirror)
    ? { mirror, reason: "" }
    : { mirror: undefined, reason: "the mirror is out of reach" };
}

const proxyNames = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/** How this machine gets to its mirror, as environment: its own, and what only its apt knows. */
export function proxies(): Record<string, string> {
  const own = proxyNames.flatMap((name) => {
    const value = process.env[name];
    return value ? [[name, value] as const] : [];
  });
  const apt = /^PROXY='(.*)'/m.exec(ask("apt-config", "shell", "PROXY", "Acquire::http::Proxy"))?.[1];
  return { ...(apt ? { http_proxy: apt } : {}), ...Object.fromEntries(own) };
}

/** Makes an archive of a smallest Debian, for ADD: its files belong to root, the way a user without ids can unpack it. */
export async function makeDebian(box: Workspace, { uri, suite }: Mirror): Promise<string> {
  const directory = box.directory("debian");
  const rootfs = join(directory, "rootfs");
  const env = { PATH: searchPath, ...proxies() };
  // It mounts in there; that ends with the namespace, whatever becomes of it.
  const apart = ["unshare", "--mount", "--propagation", "private", "--"];
  await output([...apart, "debootstrap", "--variant=minbase", suite, rootfs, uri], { env, timeout: 400_000 });
  // As images have it: what a build makes is lost with it anyway.
  writeFileSync(join(rootfs, "etc/dpkg/dpkg.cfg.d/unsafe-io"), "force-unsafe-io\n");
  const lists = 'Acquire::Languages "none";\nAcquire::GzipIndexes "true";\n';
  writeFileSync(join(rootfs, "etc/apt/apt.conf.d/lists"), lists);
  const archive = join(directory, "debian.tar");
  const owner = ["--owner=0", "--group=0", "--numeric-owner"];
  // Every step of a build copies what is there: less is faster.
  const unneeded = [
    "dev/*",
    "usr/share/doc/*",
    "usr/share/locale/*",
    "usr/share/man/*",
    "usr/share/zoneinfo/*",
  ];
  const fetched = ["var/cache/apt/archives/*.deb", "var/cache/apt/*.bin", "var/lib/apt/lists/*_*"];
  const left = [...unneeded, ...fetched].map((pattern) => `--exclude=./${pattern}`);
  await output(["tar", "-C", rootfs, ...owner, ...left, "-cf", archive, "."], { timeout: 100_000 });
  await output(["rm", "-rf", "--one-file-system", rootfs], { timeout: 100_000 });
  return archive;
}
