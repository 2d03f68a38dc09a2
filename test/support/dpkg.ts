/** A root file system with this machine's own dpkg, and a package made on the spot: for machines without a mirror. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { output } from "./command.ts";
import { findProgram, hasProgram } from "./machine.ts";
import type { Workspace } from "./workspace.ts";

const programs = ["dpkg", "dpkg-deb", "dpkg-split", "tar", "groupadd", "useradd", "setpriv"];

export const hasDpkg = hasProgram("ldd") && programs.every(hasProgram);

/** Copies a program and the libraries that it is linked to, each to the same path. */
export async function installProgram(program: string, rootfs: string): Promise<void> {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`${program} was not found`);
  const libraries = (await output(["ldd", path])).matchAll(/(\/\S+) \(0x/g);
  for (const file of [path, ...[...libraries].map((match) => match[1] ?? "")]) {
    const target = join(rootfs, file);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
    chmodSync(target, 0o755);
  }
}

/**
 * Adds dpkg, with an empty database, to a root file system of busybox.
 * It looks for further programs before it does anything; its packages here use none of them. Busybox's shell has a dpkg
 * of its own: this one is called by its path.
 */
export async function addDpkg(rootfs: string): Promise<void> {
  for (const program of programs) {
    await installProgram(program, rootfs);
  }
  for (const name of ["ldconfig", "start-stop-daemon", "diff"]) {
    if (!existsSync(join(rootfs, "bin", name))) symlinkSync("busybox", join(rootfs, "bin", name));
  }
  rmSync(join(rootfs, "bin/ldconfig"));
  writeFileSync(join(rootfs, "bin/ldconfig"), "#!/bin/sh\n", { mode: 0o755 });
  for (const name of ["info", "updates", "triggers"])
    mkdirSync(join(rootfs, "var/lib/dpkg", name), { recursive: true });
  for (const name of ["status", "available"]) writeFileSync(join(rootfs, "var/lib/dpkg", name), "");
}

const postinst = `#!/bin/sh
set -e
/usr/sbin/groupadd --system keepers
/usr/sbin/useradd --system --no-create-home --gid keepers keeper
chown keeper:keepers /var/spool/kept
chgrp -h keepers /usr/share/kept/link
chmod 2770 /var/spool/kept
mknod /var/spool/kept/null c 1 3
mkfifo /var/spool/kept/queue
chown keeper /var/spool/kept/queue
/usr/bin/setpriv --reuid=$(id -u keeper) --regid=$(id -g keeper) --clear-groups sh -c "echo kept > /var/spool/kept/text"
`;

/** Makes a package whose files belong to others, and whose script makes a user and gives files to it; as root. */
export async function makePackage(box: Workspace): Promise<string> {
  const directory = box.directory("package");
  const tree = join(directory, "kept");
  for (const name of ["DEBIAN", "usr/share/kept", "var/spool/kept"])
    mkdirSync(join(tree, name), { recursive: true });
  const control = {
    Package: "kept",
    Version: "1",
    Architecture: "all",
    Maintainer: "nobody <x@example.org>",
  };
  const lines = Object.entries({ ...control, Description: "files of others" });
  writeFileSync(join(tree, "DEBIAN/control"), lines.map(([key, value]) => `${key}: ${value}\n`).join(""));
  writeFileSync(join(tree, "DEBIAN/postinst"), postinst, { mode: 0o755 });
  writeFileSync(join(tree, "usr/share/kept/file"), "text\n");
  symlinkSync("file", join(tree, "usr/share/kept/link"));
  await output([
    "chown",
    "-h",
    "123:456",
    join(tree, "usr/share/kept/file"),
    join(tree, "usr/share/kept/link"),
  ]);
  await output(["chown", "8:12", join(tree, "var/spool/kept")]);
  const file = join(directory, "kept.deb");
  await output(["dpkg-deb", "--build", tree, file]);
  return file;
}
