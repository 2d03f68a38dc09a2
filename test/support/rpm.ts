/** A root file system with this machine's own rpm, and a package made on the spot. */
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { output } from "./command.ts";
import { installProgram } from "./dpkg.ts";
import { hasProgram, searchPath } from "./machine.ts";
import type { Workspace } from "./workspace.ts";

const programs = ["rpm", "groupadd", "useradd"];

export const hasRpm = hasProgram("ldd") && hasProgram("rpmbuild") && programs.every(hasProgram);

/** Adds rpm, without a database, to a root file system of busybox. */
export async function addRpm(rootfs: string): Promise<void> {
  for (const program of programs) await installProgram(program, rootfs);
  cpSync("/usr/lib/rpm", join(rootfs, "usr/lib/rpm"), { recursive: true });
  // Debian's rpm keeps its database in HOME.
  writeFileSync(join(rootfs, "usr/lib/rpm/macros.d/macros.database"), "%_dbpath /var/lib/rpm\n");
}

const specification = (devices: boolean) => `Name: owned
Version: 1
Release: 1
Summary: files of others
License: none
BuildArch: noarch
Provides: /bin/sh

%description
Files of others.

%install
mkdir -p %{buildroot}/usr/share/owned %{buildroot}/var/spool/owned
echo text > %{buildroot}/usr/share/owned/file
ln -s file %{buildroot}/usr/share/owned/link
echo program | tee %{buildroot}/usr/share/owned/program > %{buildroot}/usr/share/owned/able

%pre -p /bin/sh
/usr/sbin/groupadd --system owners
/usr/sbin/useradd --system --no-create-home --gid owners owner

%post -p /bin/sh
echo made > /var/spool/owned/made
chown owner:owners /var/spool/owned/made
chgrp -h owners /usr/share/owned/link

%files
%attr(640, root, owners) /usr/share/owned/file
%attr(-, owner, owners) /usr/share/owned/link
%attr(4755, owner, owners) /usr/share/owned/program
%dir %attr(2770, owner, owners) /var/spool/owned
%attr(755, root, root) %caps(cap_net_bind_service=ep) /usr/share/owned/able
${devices ? "%dev(c, 1, 3) %attr(666, root, owners) /var/spool/owned/null" : ""}
`;

/**
 * Makes a package whose files belong to users that its script makes, one of them with a file capability; as root.
 * @param devices whether it brings a device
 */
export async function makeRpm(box: Workspace, devices: boolean): Promise<string> {
  const directory = box.directory("rpm");
  writeFileSync(join(directory, "owned.spec"), specification(devices));
  const define = ["--define", `_topdir ${directory}`, "--define", "_build_id_links none"];
  await output(["rpmbuild", "-bb", ...define, join(directory, "owned.spec")], {
    env: { PATH: searchPath, HOME: directory },
    timeout: 60_000,
  });
  return join(directory, "RPMS/noarch/owned-1-1.noarch.rpm");
}
