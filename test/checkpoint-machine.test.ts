/**
 * `checkpoint` and `restore` with Debian's own criu under Debian's own kernel, in a machine of the test's own: there memory
 * can be tracked (--pre-dump), and control groups are of version 2 alone.
 */
import { expect } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Config, inherit, shell } from "./support/config.ts";
import { findProgram } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { copyBusybox, makeRootfs } from "./support/rootfs.ts";
import { boot, copyProgram, fetchKernel, makeMachine, noMachine } from "./support/virtual-machine.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("checkpoint-machine");
const criu = findProgram("criu");
const tar = findProgram("tar");

/** Starting a machine takes ten seconds where nothing else does, and minutes where much does. */
const patience = 600_000;

/** What criu asks the kernel for sockets, and tries before it begins. In an order in which they can be loaded. */
const modules = [
  ...["inet_diag", "tcp_diag", "udp_diag", "unix_diag", "netlink_diag", "af_packet_diag"],
  ...["libcrc32c", "nfnetlink", "nf_tables", "veth", "tun"],
];

const counter = (): Config =>
  shell("i=0; while :; do echo $i >> /count; i=$((i+1)); usleep 50000; done", (result) => {
    // A network namespace of its own would take iptables and ip.
    inherit(result, "network");
    result.mounts = result.mounts.filter(({ destination }) => destination !== "/sys");
    result.linux.resources = { pids: { limit: 50 }, memory: { limit: 1 << 27 } };
  });

/** criu makes the container's root by pivot_root(2), which is impossible on an initramfs: first all goes to a tmpfs. */
const intoTmpfs = `
mkdir /real; mount -t tmpfs -o size=1000m root /real
for each in bin lib lib64 usr etc bundle modules second; do test -e /$each && mv /$each /real/; done
/real/bin/busybox mkdir -p /real/proc /real/sys /real/dev /real/run /real/tmp
exec /real/bin/busybox switch_root /real /second
`;

const bunc = "bunc --log /run/log";
const images = (name: string) => `--image-path /run/images/${name}`;
const say = (section: string, ...commands: string[]) => `echo; echo "== ${section}"; ${commands.join("; ")}`;
const counted = "sleep 2; tail -n 1 /bundle/rootfs/count";
const pages = (name: string) => `cat /run/images/${name}/pages-*.img | wc -c`;

const second = `#!/bin/busybox sh
export PATH=/bin HOME=/
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmpfs /run
mkdir /dev/pts; mount -t devpts devpts /dev/pts
mount -t cgroup2 cgroup /sys/fs/cgroup; echo +pids +memory > /sys/fs/cgroup/cgroup.subtree_control
for each in ${modules.join(" ")}; do test -e /modules/$each.ko && insmod /modules/$each.ko; done
ifconfig lo up
mkdir /run/images
${[
  say("versions", "criu --version", "uname -r"),
  say("run", `${bunc} run -d --bundle /bundle c </dev/null >/dev/null 2>&1`, "echo $?", counted),
  say("pre-dump", `${bunc} checkpoint --pre-dump ${images("1")} c`, "echo $?", counted),
  say("pages", pages("1")),
  say(
    "checkpoint",
    `${bunc} checkpoint --parent-path ../1 ${images("2")} c`,
    "echo $?",
    "tail -n 1 /bundle/rootfs/count",
  ),
  say("pages since", pages("2")),
  say("gone", `${bunc} list -q`, "ls /sys/fs/cgroup | grep c$"),
  say(
    "restore",
    `${bunc} restore -d --bundle /bundle ${images("2")} c </dev/null >/dev/null 2>&1`,
    "echo $?",
    counted,
  ),
  say(
    "state",
    `${bunc} state c | grep status`,
    "cat /sys/fs/cgroup/bunc-c/pids.max",
    "cat /sys/fs/cgroup/bunc-c/memory.max",
  ),
  say("order", "awk '$1 != NR - 1' /bundle/rootfs/count | wc -l"),
  say("errors", "cat /run/log", "criu check 2>&1", "grep -h Error /run/images/*/*.log"),
].join("\n")}
echo; echo "== end"
reboot -f
`;

testIf(noMachine === "" && criu !== undefined && tar !== undefined, noMachine || "needs criu and tar")(
  "a checkpoint in two parts, by Debian's criu under Debian's kernel",
  async () => {
    const root = box.directory("machine");
    await makeMachine(root);
    const bundle = join(root, "bundle");
    mkdirSync(bundle);
    makeRootfs(join(bundle, "rootfs"), copyBusybox(bundle));
    writeFileSync(join(bundle, "config.json"), JSON.stringify(counter()));
    for (const program of [criu ?? "", tar ?? ""])
      await copyProgram(program, root, `/bin/${basename(program)}`);
    writeFileSync(join(root, "second"), second, { mode: 0o755 });
    const kernel = await fetchKernel(box.directory("kernel"));
    mkdirSync(join(root, "modules"));
    const all = join(dirname(dirname(kernel)), "lib/modules");
    for (const path of readdirSync(all, { recursive: true, encoding: "utf8" })) {
      if (modules.includes(basename(path, ".ko")))
        copyFileSync(join(all, path), join(root, "modules", basename(path)));
    }

    const said = await boot(kernel, root, "", intoTmpfs);
    const section = (name: string) => (said.get(name) ?? `no section ${name}`).trim().split("\n");
    const numbers = (name: string) => section(name).map(Number);
    const errors = section("errors").join("\n");
    const [before, during, last, after] = ["run", "pre-dump", "checkpoint", "restore"].map((name) => {
      const [status, count] = numbers(name);
      expect([name, status, status === 0 ? "" : errors]).toEqual([name, 0, ""]);
      return count ?? 0;
    });
    expect(section("versions")[0]).toMatch(/^Version: 3\./);
    expect(before).toBeGreaterThan(5);
    expect(during).toBeGreaterThan(before ?? 0);
    expect(after).toBeGreaterThan(last ?? 0);
    // Only what has been written to since is in the second part.
    expect(numbers("pages since")[0]).toBeLessThan(numbers("pages")[0] ?? 0);
    expect(section("gone")).toEqual([""]);
    expect(section("state").map((line) => line.trim())).toEqual([
      '"status": "running",',
      "50",
      String(1 << 27),
    ]);
    // Not one number was left out, and not one was counted twice.
    expect(numbers("order")).toEqual([0]);
  },
  patience,
);
