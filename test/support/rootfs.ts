/** A root file system made on the spot: a static busybox and the few files a container expects. */
import { copyFileSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "./machine.ts";

/** The commands that tests use. All four hundred would be links too, and making them would take longer than most tests. */
const applets =
  `[ awk basename cat chgrp chmod chown chroot cp cut date dd df du echo env expr false find flock grep head
  hexdump hostname id ifconfig ip kill ln ls mkdir mkfifo mknod mktemp mount mv nc nproc nsenter od pidof ping pivot_root
  printf ps pwd readlink realpath rm rmdir sed seq setpriv setsid sh sleep sort stat stty sync sysctl tail
  taskset tee test timeout touch tr true tty umount uname uniq unshare usleep wc which whoami xargs yes`.split(
    /\s+/,
  );

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
 * Fills `path` with /bin/busybox, links for the applets that tests use, and /etc/passwd (root and somebody, 1000).
 * /dev, /proc and /sys are empty; no other mount point exists. `busybox` must be on the same file system.
 */
export function makeRootfs(path: string, busybox: string): void {
  for (const directory of ["bin", "dev", "etc", "home/somebody", "proc", "root", "sys", "tmp"]) {
    mkdirSync(join(path, directory), { recursive: true });
  }
  linkSync(busybox, join(path, "bin/busybox"));
  for (const applet of applets) symlinkSync("busybox", join(path, "bin", applet));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
}
