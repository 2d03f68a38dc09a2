/** A small machine that systemd has booted: a container whose init it is, with a bus, and with runtimes to run in it. */
import {
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Finished, until } from "./command.ts";
import { type Change, type Config, config } from "./config.ts";
import type { Container } from "./container.ts";
import { hasProgram, runtimeKind, runtimePath } from "./machine.ts";
import { makeRootfs } from "./rootfs.ts";
import type { Workspace } from "./workspace.ts";

export type Layout = "v2" | "hybrid" | "v1";

const systemd = "/usr/lib/systemd/systemd";

/** Why no such machine can be made here; undefined when it can. */
export function whyNoSystemd(): string | undefined {
  if (!existsSync(systemd) || !hasProgram("systemctl")) return "systemd is not installed";
  if (!hasProgram("dbus-daemon") || !existsSync("/usr/share/dbus-1/system.conf"))
    return "dbus is not installed";
  // The machine's own /usr is all that the container has of programs.
  if (!lstatSync("/lib").isSymbolicLink()) return "this machine keeps programs outside of /usr";
  return undefined;
}

/** Units in place of the machine's own: a bus, and nothing else. They are found in /usr, which is not for the test to write. */
const units = (manager: "system" | "user", bus: "system" | "session", address: string) => ({
  "dbus.socket": `[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=${address}\n`,
  "dbus.service": `[Unit]
DefaultDependencies=no
Requires=dbus.socket
[Service]
Type=notify
NotifyAccess=main
ExecStart=/usr/bin/dbus-daemon --${bus} --address=systemd: --nofork --nopidfile --systemd-activation
`,
  "default.target": "[Unit]\nDefaultDependencies=no\nWants=dbus.socket dbus.service\n",
  ...Object.fromEntries(
    ["basic", "shutdown", "sysinit", "umount"].map((name) => [
      `${name}.target`,
      "[Unit]\nDefaultDependencies=no\n",
    ]),
  ),
  // What SIGRTMIN+3, sent by `podman stop`, and SIGTERM to a user's systemd start.
  ...Object.fromEntries(["halt", "exit"].map((name) => [`${name}.target`, ending])),
  "test-exit.service": `[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/usr/bin/systemctl --${manager} --force exit\n`,
});
const ending = "[Unit]\nDefaultDependencies=no\nRequires=test-exit.service\nAfter=test-exit.service\n";

/** What systemd does at its start: it makes devices' nodes and cgroups, and mounts. Nothing here is the machine's own. */
const capabilities =
  `AUDIT_WRITE BPF CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL MKNOD NET_ADMIN
  NET_BIND_SERVICE NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_NICE SYS_PTRACE`
    .split(/\s+/)
    .map((name) => `CAP_${name}`);

function machineConfig(directory: string, layout: Layout): Config {
  return config((result) => {
    result.process.args = [systemd, "--log-target=console", "--show-status=no"];
    result.process.env = ["PATH=/usr/sbin:/usr/bin", "container=bunc-test"];
    result.process.capabilities = {
      bounding: capabilities,
      effective: capabilities,
      permitted: capabilities,
    };
    result.mounts.push(
      { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "nodev", "rw"] },
      // systemd looks for cgroup2 here; without it the layout is that of version 1 alone.
      ...(layout === "v1"
        ? [{ destination: "/sys/fs/cgroup/unified", type: "tmpfs", source: "tmpfs", options: ["ro"] }]
        : []),
      { destination: "/run", type: "tmpfs", source: "tmpfs", options: ["mode=755"] },
      { destination: "/usr", type: "bind", source: "/usr", options: ["bind", "ro"] },
      ...["system", "user"].map((name) => ({
        destination: `/usr/lib/systemd/${name}`,
        type: "bind",
        source: join(directory, name),
        options: ["bind", "ro"],
      })),
      ...(runtimeKind === "bunc"
        ? [{ destination: "/opt/bunc", type: "bind", source: runtimePath, options: ["bind", "ro"] }]
        : []),
    );
    result.linux.namespaces.push({ type: "cgroup" });
    // runc allows its containers /dev/net/tun; a container in this one can have no more than this one has.
    result.linux.resources = {
      devices: [
        { allow: false, access: "rwm" },
        { allow: true, type: "c", major: 10, minor: 200, access: "rwm" },
      ],
    };
    // systemd would raise limits that are the whole machine's.
    result.linux.readonlyPaths = ["/proc/sys"];
  });
}

function fillRootfs(rootfs: string): void {
  for (const [name, target] of Object.entries({ lib: "usr/lib", lib64: "usr/lib64", sbin: "usr/sbin" })) {
    symlinkSync(target, join(rootfs, name));
  }
  for (const directory of ["usr", "run", "opt", "var/lib", "var/tmp", "var/log"]) {
    mkdirSync(join(rootfs, directory), { recursive: true });
  }
  symlinkSync("../run", join(rootfs, "var/run"));
  const accounts =
    "root:x:0:0:root:/root:/bin/sh\nmessagebus:x:101:101::/:/bin/sh\nsomebody:x:1000:1000::/tmp:/bin/sh\n";
  writeFileSync(join(rootfs, "etc/passwd"), accounts);
  writeFileSync(join(rootfs, "etc/group"), "root:x:0:\nmessagebus:x:101:\nsomebody:x:1000:\n");
  writeFileSync(join(rootfs, "etc/machine-id"), "0123456789abcdef0123456789abcdef\n");
}

/** The first of the ids that are root's and the others' in a user namespace. */
const mappedTo = 100_000;

/** The same in a user namespace of its own, whose root its files belong to. */
const inUserNamespace: Change = (result) => {
  result.linux.namespaces.push({ type: "user" });
  const mapping = { containerID: 0, hostID: mappedTo, size: 65_536 };
  result.linux.uidMappings = [mapping];
  result.linux.gidMappings = [mapping];
  delete result.linux.resources;
};

/** Never through a link: one of them leads to /run, which is the machine's for whoever is outside. */
function giveAway(directory: string): void {
  lchownSync(directory, mappedTo, mappedTo);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) giveAway(path);
    // A link to the one that all containers share.
    else if (entry.name !== "busybox") lchownSync(path, mappedTo, mappedTo);
  }
}

export class SystemdMachine {
  #serial = 0;

  private constructor(
    private readonly box: Workspace,
    readonly container: Container,
  ) {}

  /**
   * Boots one, and waits until its bus is there.
   * @param layout as /sys/fs/cgroup of the workspace has it, or "v1" of a hybrid
   * @param root whether it has the machine's ids, or a user namespace of its own
   */
  static async boot(
    box: Workspace,
    layout: Layout,
    root: "real" | "mapped" = "real",
  ): Promise<SystemdMachine> {
    const directory = box.directory("units");
    const files = {
      system: units("system", "system", "/run/dbus/system_bus_socket"),
      user: units("user", "session", "%t/bus"),
    };
    for (const [name, texts] of Object.entries(files)) {
      mkdirSync(join(directory, name));
      for (const [file, text] of Object.entries(texts)) writeFileSync(join(directory, name, file), text);
    }
    const machineRoot = machineConfig(directory, layout);
    if (root === "mapped") inUserNamespace(machineRoot);
    const container = await box.create(machineRoot, {
      prepare: (rootfs) => {
        fillRootfs(rootfs);
        if (root === "mapped") giveAway(rootfs);
      },
    });
    await container.start();
    const machine = new SystemdMachine(box, container);
    await until("systemd and its bus", async () => {
      const { status } = await machine.call(["systemctl", "is-active", "--quiet", "dbus.service"]);
      return status === 0;
    });
    return machine;
  }

  /** Runs a program in the machine. @param options of `exec`, such as --user */
  call(argv: string[], options: string[] = []): Promise<Finished> {
    return this.box.runtime(["exec", ...options, this.container.id, ...argv]);
  }

  /** Runs a script of the shell, which must succeed; gives what it printed. */
  async shell(script: string, options: string[] = []): Promise<string> {
    const { status, stdout, stderr } = await this.call(["sh", "-c", script], options);
    if (status !== 0) throw new Error(`${script}: exit status ${status}: ${stderr}`);
    return stdout.trim();
  }

  /** A bundle in the machine; gives its path there. */
  bundle(config: Config): string {
    const path = `/opt/bundle-${++this.#serial}`;
    const { rootfs } = this.container.bundle;
    mkdirSync(join(rootfs, path));
    makeRootfs(join(rootfs, path, "rootfs"), join(rootfs, "bin/busybox"));
    writeFileSync(join(rootfs, path, "config.json"), JSON.stringify(config));
    return path;
  }

  /** The runtime under test, as it is called in there. */
  readonly runtime = runtimeKind === "bunc" ? "/opt/bunc" : runtimePath;

  /** Properties of a unit. */
  async show(unit: string, names: readonly string[], ...options: string[]): Promise<Record<string, string>> {
    const text = await this.shell(
      `systemctl ${options.join(" ")} show --property=${names.join(",")} -- '${unit}'`,
    );
    return Object.fromEntries(
      text.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
  }
}
