/** A machine of the test's own, under a kernel of Debian's: for what the kernel around the tests does not have. */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { output } from "./command.ts";
import { findMirror } from "./debian.ts";
import { findProgram, isRoot, runtimeKind, runtimePath } from "./machine.ts";
import { copyBusybox } from "./rootfs.ts";

const emulator = findProgram("qemu-system-x86_64");

/** Why there can be no such machine, whatever runtime is in it; "" when there can. */
export const noEmulator =
  isRoot && process.arch === "x64" && emulator !== undefined
    ? findMirror().reason
    : "as root on x86-64, with qemu-system-x86";

/** Why there can be no such machine for bunc; "" when there can. */
export const noMachine = runtimeKind === "bunc" ? noEmulator : "bunc's own build";

/** Downloads the small kernel that Debian makes for clouds, and unpacks it into a directory. Returns its path. */
export async function fetchKernel(directory: string): Promise<string> {
  const depends = await output(["apt-cache", "depends", "linux-image-cloud-amd64"]);
  const name = /linux-image-[0-9][^ \n]*/.exec(depends)?.[0];
  if (name === undefined) throw new Error(`no kernel in: ${depends}`);
  const download = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", name];
  await output(download, { cwd: directory, timeout: 120_000 });
  const archive = readdirSync(directory).find((file) => file.endsWith(".deb")) ?? "";
  await output(["dpkg", "-x", join(directory, archive), directory], { timeout: 60_000 });
  const boot = join(directory, "boot");
  return join(boot, readdirSync(boot).find((file) => file.startsWith("vmlinuz-")) ?? "");
}

/** Copies a program of this machine, and the libraries that it needs, to where they are here. */
export async function copyProgram(program: string, root: string, as = program): Promise<void> {
  const libraries = (await output(["ldd", program])).match(/\/\S+(?= \(0x)/g) ?? [];
  for (const [from, to] of [[program, as], ...libraries.map((library) => [library, library])] as const) {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(from, join(root, to));
  }
}

/** The root file system of a machine: busybox and the runtime, in /bin. What else is in it is put there by the test. */
export async function makeMachine(root: string): Promise<void> {
  for (const name of ["bin", "proc", "sys", "dev", "run", "tmp"])
    mkdirSync(join(root, name), { recursive: true });
  copyBusybox(join(root, "bin"));
  await copyProgram(runtimePath, root, `/bin/${basename(runtimePath)}`);
}

/**
 * Starts a machine, lets it run a script, and gives what the script said, by sections: a line `== NAME` begins each, and
 * each ends with one newline.
 * @param parameters for the kernel
 * @param devices further options of qemu
 */
export async function boot(
  kernel: string,
  root: string,
  parameters: string,
  script: string,
  devices: readonly string[] = [],
): Promise<ReadonlyMap<string, string>> {
  const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmpfs /run
mount -t securityfs securityfs /sys/kernel/security
dmesg -n 1
${script}
echo; echo "== end"
reboot -f
`;
  writeFileSync(join(root, "init"), init, { mode: 0o755 });
  const image = `${root}.cpio`;
  await output(["sh", "-c", 'cd "$1" && find . | busybox cpio -o -H newc > "$2"', "sh", root, image], {
    timeout: 120_000,
  });
  const machine = ["-accel", "tcg,thread=multi", "-cpu", "max", "-m", "1500", "-no-reboot"];
  const console = ["-display", "none", "-monitor", "none", "-serial", "stdio"];
  const boots = [
    "-kernel",
    kernel,
    "-initrd",
    image,
    "-append",
    `console=ttyS0 quiet panic=-1 ${parameters}`,
  ];
  const said = await output([emulator ?? "", ...machine, ...devices, ...console, ...boots], {
    timeout: 280_000,
  });
  const sections = said.replaceAll("\r", "").replaceAll("\0", "").split(/^== /m).slice(1);
  return new Map(
    sections.map((section) => {
      const end = section.indexOf("\n");
      return [section.slice(0, end), `${section.slice(end + 1).trimEnd()}\n`] as const;
    }),
  );
}
