/**
 * A create that fails leaves nothing: no process that holds its output (a caller reads that to the end), no state, no
 * groups, no mounts. `tryCreate` reads both pipes to their end, and fails when something keeps them open.
 */
import { beforeAll, describe, expect } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { findGroups } from "./support/cgroups.ts";
import { isAlive, until } from "./support/command.ts";
import { type Change, config, sleeper } from "./support/config.ts";
import { reap } from "./support/libc.ts";
import { runtimeKind } from "./support/machine.ts";
import { oursOnly, peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("failure");

// What the harness itself needs is started before children are counted.
beforeAll(() => box.runtime(["state", "nobody"]));

/** The children of this process, into which orphans turn. */
const children = () =>
  readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ").filter(Boolean);

/** More conditions than the kernel takes instructions. Nobody knows before the container's processes are there. */
const longProfile = {
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: Array.from({ length: 5000 }, (_, value) => ({
    names: ["ioctl"],
    action: "SCMP_ACT_ERRNO",
    args: [{ index: 1, value, op: "SCMP_CMP_EQ" }],
  })),
};

const stages: [string, Change][] = [
  ["a program that does not exist", (result) => (result.process.args = ["no-such-program"])],
  [
    "a mount that fails",
    (result) => result.mounts.push({ destination: "/x", source: "/no/such", options: ["bind"] }),
  ],
  ["a file system that is not known", (result) => result.mounts.push({ destination: "/x", type: "nosuch" })],
  [
    "a destination beneath a file",
    (result) => result.mounts.push({ destination: "/etc/passwd/x", type: "tmpfs" }),
  ],
  [
    "a namespace that cannot be joined",
    (result) => (result.linux.namespaces[1] = { type: "network", path: "/nosuch" }),
  ],
  ["a key of sysctl that does not exist", (result) => (result.linux.sysctl = { "net.no.such": "1" })],
  [
    "a limit that is not known",
    (result) => (result.process.rlimits = [{ type: "RLIMIT_NOSUCH", soft: 1, hard: 1 }]),
  ],
  ["a value of sysctl that is wrong", (result) => (result.linux.sysctl = { "net.ipv4.ip_forward": "x" })],
  ["a working directory that cannot be made", (result) => (result.process.cwd = "/etc/passwd/x")],
  [
    "a directory to be mounted on a file",
    (result) => result.mounts.push({ destination: "/etc/passwd", source: "/tmp", options: ["bind"] }),
  ],
  ["a root filesystem that is not there", (result) => (result.root.path = "no-such-root")],
  ["a seccomp profile that is too long", (result) => (result.linux.seccomp = longProfile)],
  ["a hook that fails", (result) => (result.hooks = { createRuntime: [{ path: "/bin/false" }] })],
  ["a hook that does not exist", (result) => (result.hooks = { prestart: [{ path: "/no/such/hook" }] })],
];

/** What bunc says to those: the property, and the cure. */
const cures: Record<string, [property: string, cure: string]> = {
  "a seccomp profile that is too long": ["linux.seccomp compiles to", "name fewer"],
  "a namespace that cannot be joined": ["linux.namespaces[1].path could not be opened", "leave the path out"],
  "a key of sysctl that does not exist": ['linux.sysctl["net.no.such"]', "correct its name"],
  "a value of sysctl that is wrong": ['linux.sysctl["net.ipv4.ip_forward"]', "correct the value"],
  "a working directory that cannot be made": ["process.cwd", "correct process.cwd"],
  "a destination beneath a file": ["mounts[", "correct the mount's destination"],
  "a directory to be mounted on a file": ["mounts[", "mount directories on directories"],
  "a root filesystem that is not there": ["root.path", "relative to the bundle"],
};

describe("a create that fails because of", () => {
  for (const [what, change] of stages) {
    const define = what.startsWith("a hook") ? peersDiffer({ crun: "it exits with 255" }) : rootTest;
    define(what, async () => {
      const [mounts, before] = [readFileSync("/proc/self/mountinfo", "utf8"), new Set(children())];
      const { status, stdout, stderr, id } = await box.tryCreate(sleeper(change), { stdin: "pipe" });
      expect([status, stdout]).toEqual([1, ""]);
      expect(stderr).not.toBe("");
      if (runtimeKind === "bunc") {
        expect(stderr).toMatch(/^[^\n]+\n$/);
        for (const part of cures[what] ?? []) expect(stderr).toContain(part);
      }
      // Whoever is left is a zombie of this process, which nobody else will reap.
      const left = children().filter((pid) => !before.has(pid));
      expect(left.filter((pid) => !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8")))).toEqual(
        [],
      );
      expect(existsSync(`${box.state}/${id}`)).toBe(false);
      expect(findGroups(id)).toEqual([]);
      expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(mounts);
      expect((await box.runtime(["state", id])).status).toBe(1);
      expect((await box.runtime(["delete", "--force", id])).status).toBe(0);
    });
  }

  peersDiffer({ crun: "1.8 leaves init behind" })("a pid file that cannot be written", async () => {
    const { status, stderr, id } = await box.tryCreate(sleeper(), {
      flags: ["--pid-file", "/no/such/directory/pid"],
    });
    expect(status).toBe(1);
    expect(stderr).toContain("/no/such/directory/");
    expect((await box.runtime(["state", id])).status).toBe(1);
  });

  peersDiffer({ runc: "it fails after it has made the directory", crun: "its words differ" })(
    "a state root that is no directory",
    async () => {
      const file = `${box.path}/file`;
      writeFileSync(file, "");
      const { status, stderr } = await box.tryCreate(sleeper(), { globals: ["--root", `${file}/state`] });
      expect(status).toBe(1);
      expect(stderr).toContain(file);
    },
  );
});

describe("a create that is killed", () => {
  const hook = { path: "/bin/sh", args: ["sh", "-c", "cat >/dev/null"] };
  const mapping = [{ containerID: 0, hostID: 100000, size: 65536 }];
  /** More stages: maps, a limit, hooks in and around the container. */
  const withMuch: Change = (result) => {
    result.linux.namespaces.push({ type: "user" });
    Object.assign(result.linux, { uidMappings: mapping, gidMappings: mapping });
    result.linux.resources = { pids: { limit: 20 } };
    result.hooks = { createRuntime: [hook], createContainer: [hook], poststop: [hook] };
  };
  const configs: [string, Change, most: number][] = [
    ["a plain container", () => {}, 36],
    ["a container with a user namespace, limits and hooks", withMuch, 72],
  ];

  for (const [what, change, most] of configs) {
    oursOnly(`takes its init with it, whenever that happens: ${what}`, () => killAlways(change, most));
  }

  async function killAlways(change: Change, most: number): Promise<void> {
    // Nothing but the signal keeps it from being made.
    const whole = await box.create(sleeper(change));
    expect((await whole.state()).status).toBe("created");
    await whole.delete();
    for (let delay = 0; delay <= most; delay += most / 9) {
      const before = new Set(children());
      const { path } = box.bundle(sleeper(change));
      const id = box.id();
      const running = await box.spawn(["create", "--bundle", path, id]);
      await Bun.sleep(delay);
      running.kill("SIGKILL");
      // Once the state says created, the container is whole and waits.
      const { stdout } = await box.runtime(["state", id]);
      const created = stdout !== "" && JSON.parse(stdout).status === "created";
      // A hook's process ends as a zombie of this one, and init ends only when it was reaped.
      const ended = () =>
        children()
          .map(Number)
          .filter((pid) => !before.has(String(pid)) && pid !== running.pid)
          .map(reap)
          .every((status) => status !== undefined);
      if (!created) await until("the end of init", ended);
      expect([delay, (await box.runtime(["delete", "--force", id])).status]).toEqual([delay, 0]);
      await until("the end of init", ended);
      await running.finished;
      expect(existsSync(`${box.state}/${id}`)).toBe(false);
      expect(findGroups(id)).toEqual([]);
    }
  }
});

describe("a start that fails", () => {
  peersDiffer({ runc: "its start does not wait for execve", crun: "its start does not wait for execve" })(
    "says why, and the container is stopped",
    async () => {
      const container = await box.create(
        config((result) => (result.process.args = ["/script"])),
        {
          prepare: (rootfs) => writeFileSync(`${rootfs}/script`, "#!/no/such/interpreter\n", { mode: 0o755 }),
        },
      );
      const { status, stderr } = await container.call("start");
      expect(status).toBe(1);
      expect(stderr).toMatch(/no such file or directory/i);
      await container.exit();
      expect(await container.status()).toBe("stopped");
      await container.delete();
    },
  );
});

describe("state that cannot be read", () => {
  const others = peersDiffer({ runc: "it tells of broken JSON", crun: "it tells of broken JSON" });

  others("does not keep delete --force from removing it", async () => {
    const container = await box.create(sleeper());
    for (const name of readdirSync(`${box.state}/${container.id}`)) {
      const path = `${box.state}/${container.id}/${name}`;
      if (statSync(path).isFile()) writeFileSync(path, "");
    }
    const { status, stdout, stderr } = await container.call("state");
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).not.toBe("");
    process.kill(container.pid, "SIGKILL");
    expect((await box.runtime(["delete", "--force", container.id])).status).toBe(0);
    expect(existsSync(`${box.state}/${container.id}`)).toBe(false);
    // Nobody knows of these any more.
    for (const group of findGroups(container.id)) rmdirSync(group);
  });

  others("the record alone: delete --force ends what runs, and removes its groups", async () => {
    const container = await box.create(sleeper());
    await container.start();
    writeFileSync(`${box.state}/${container.id}/state.json`, '{"id": "');
    expect(findGroups(container.id)).not.toEqual([]);
    expect((await box.runtime(["delete", "--force", container.id])).status).toBe(0);
    await until("the end of init", () => !isAlive(container.pid));
    expect(existsSync(`${box.state}/${container.id}`)).toBe(false);
    expect(findGroups(container.id)).toEqual([]);
  });
});
