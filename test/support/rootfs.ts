/** A root file system made on the spot: a static busybox and the few files a container expects. */
import { execFileSync } from "node:child_process";
import { copyFileSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "./machine.ts";

let applets: string[] | undefined;

function listApplets(busybox: string): string[] {
  applets ??= execFileSync(busybox, ["--list"], { encoding: "utf8" })
    .split("\n")
    .filter((name) => name !== "" && name !== "busybox" && !name.includes("/"));
  return applets;
}

/** Copies busybox into a directory that `makeRootfs` can link from, and gives the copy's path. */
export function copyBusybox(directory: string): string {
  const busybox = findProgram("busybox");
  if (busybox === undefined) throw new Error("busybox was not found: install Debian's busybox-static");
  const copy = join(directory, "busybox");
  copyFileSync(busybox, copy);
  return copy;
}

const files: Record<string, string> = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nsomebody:x:1000:1000::/home/somebody:/bin/sh\n",
  "etc/group": "root:x:0:\nsomebody:x:1000:\n",
};

/**
 * Fills `path` with /bin/busybox, a link for each of its applets, and /etc/passwd (root and somebody, 1000).
 * /dev, /proc and /sys are empty; no other mount point exists. `busybox` must be on the same file system.
 */
export function makeRootfs(path: string, busybox: string): void {
  for (const directory of ["bin", "dev", "etc", "home/somebody", "proc", "root", "sys", "tmp"]) {
    mkdirSync(join(path, directory), { recursive: true });
  }
  linkSync(busybox, join(path, "bin/busybox"));
  for (const applet of listApplets(busybox)) symlinkSync("busybox", join(path, "bin", applet));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
}
