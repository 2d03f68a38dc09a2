/** The runtime in the hands of a plain user, without buildah: one with subordinate ids, one with none. */
import { describe, expect } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  type Account,
  canMakeAccounts,
  withoutSubordinateIds,
  withSubordinateIds,
} from "./support/accounts.ts";
import { command, type Finished, output } from "./support/command.ts";
import { type Change, type Config, config, inherit, rootless, shell } from "./support/config.ts";
import { runtimeKind, runtimePath, searchPath } from "./support/machine.ts";
import { peersDiffer, testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("rootless");

const userTest = testIf(
  canMakeAccounts && runtimeKind !== "crun",
  "needs root, useradd, setpriv, and a runtime other than crun",
);

/** The runtime's binary where any user can get to it. */
function reachable(): string {
  if (!runtimePath.includes("/dist/")) return runtimePath;
  const path = join(box.path, "bunc");
  if (existsSync(path)) return path;
  try {
    linkSync(runtimePath, path);
  } catch {
    copyFileSync(runtimePath, path);
    chmodSync(path, 0o755);
  }
  return path;
}

const homes = new Map<string, string>();

/** A directory of the user's own, which also holds the runtime's state. */
function homeOf(account: Account): string {
  const home = homes.get(account.name) ?? box.directory(account.name);
  homes.set(account.name, home);
  return home;
}

async function as(account: Account, args: string[], env: Record<string, string> = {}): Promise<Finished> {
  const home = homeOf(account);
  await output(["chown", `${account.uid}:${account.gid}`, home]);
  const environment = { PATH: searchPath, XDG_RUNTIME_DIR: home, ...env };
  return command([...account.become, reachable(), ...args], { env: environment, cwd: home });
}

/** Runs a config as this user, in a bundle that is the user's. */
async function run(account: Account, configuration: Config, globals: string[] = []): Promise<Finished> {
  const { path } = box.bundle(configuration);
  await output(["chown", "-R", "-h", `${account.uid}:${account.gid}`, path]);
  return as(account, [...globals, "run", "--bundle", path, box.id()]);
}

const accounts: [string, () => Account][] = [
  ["with subordinate ids", withSubordinateIds],
  ["without subordinate ids", withoutSubordinateIds],
];

for (const [what, account] of accounts) {
  describe(`a user ${what}`, () => {
    const own =
      (change: Change = () => {}): Change =>
      (result) => {
        rootless(result, account().uid, account().gid);
        change(result);
      };

    userTest("is root in a container that maps it alone", async () => {
      const { uid, gid } = account();
      const result = await run(
        account(),
        shell(
          "id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups | sed 's/  */ /g'",
          own(),
        ),
      );
      expect(result).toEqual({ status: 0, stdout: `0\n0\n 0 ${uid} 1\n 0 ${gid} 1\ndeny\n`, stderr: "" });
    });

    userTest("keeps its state in XDG_RUNTIME_DIR", async () => {
      const home = homeOf(account());
      await run(account(), config(own()));
      expect(readdirSync(home)).toContain(runtimeKind);
    });

    userTest("has a hostname, a /dev that works, and masks", async () => {
      const { status, stdout } = await run(
        account(),
        shell(
          "hostname; echo x > /dev/null; head -c 2 /dev/zero | od -An -tx1; cat /proc/timer_list; ls /dev/pts",
          (result) => {
            own()(result);
            result.linux.maskedPaths = ["/proc/timer_list"];
          },
        ),
      );
      expect([status, stdout]).toEqual([0, "bunc-test\n 00 00\nptmx\n"]);
    });

    userTest("may send additional groups, which its kernel does not let it set", async () => {
      const { status, stdout } = await run(
        account(),
        shell(
          "id -G",
          own((result) => (result.process.user.additionalGids = [0])),
        ),
      );
      // buildah always sends [0]. A runtime may also refuse it, as runc does.
      if (runtimeKind === "bunc") expect([status, stdout]).toEqual([0, "0\n"]);
    });

    userTest("may send buildah's device rules, which need rights that it has not", async () => {
      const { status, stdout } = await run(
        account(),
        shell(
          "echo ok",
          own((result) => (result.linux.resources = { devices: [{ allow: false, access: "rwm" }] })),
        ),
      );
      expect([status, stdout]).toEqual([0, "ok\n"]);
    });

    (runtimeKind === "bunc" ? userTest : testIf(false, "runc 1.1 knows no time namespace"))(
      "has a clock of the container's own",
      async () => {
        const change = own((result) => {
          result.linux.namespaces.push({ type: "time" });
          Object.assign(result.linux, { timeOffsets: { boottime: { secs: 36_000 } } });
        });
        const { status, stdout } = await run(account(), shell("cat /proc/uptime", change));
        expect(status).toBe(0);
        expect(Number.parseFloat(stdout)).toBeGreaterThan(36_000);
      },
    );

    userTest("has a tmpfs that begins with what the image has", async () => {
      const mount = { destination: "/etc", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] };
      const change = own((result) => void result.mounts.push(mount));
      const script = "head -n 1 /etc/passwd; stat -c %u:%g /etc/passwd; stat -f -c %T /etc";
      const { stdout, stderr } = await run(account(), shell(script, change));
      expect([stdout, stderr]).toEqual(["root:x:0:0:root:/root:/bin/sh\n0:0\ntmpfs\n", ""]);
    });

    userTest("is told that ids of mounts are mapped by the machine's root", async () => {
      const mount = { destination: "/mnt", type: "bind", source: "/etc", options: ["bind", "idmap"] };
      const { status, stderr } = await run(
        account(),
        config(own((result) => void result.mounts.push(mount))),
      );
      expect(status).toBe(1);
      if (runtimeKind === "bunc")
        expect(stderr).toMatch(/^[^\n]*mounts\[3\]\.options\[1\][^\n]*CAP_SYS_ADMIN[^\n]*\n$/);
    });

    (runtimeKind === "bunc" ? userTest : testIf(false, "runc 1.1 knows no network devices"))(
      "is told that network devices are moved by who has CAP_NET_ADMIN",
      async () => {
        const change = own((result) => {
          result.linux.namespaces.push({ type: "network" });
          Object.assign(result.linux, { netDevices: { lo: { name: "lo7" } } });
        });
        const { status, stderr } = await run(account(), config(change));
        expect(status).toBe(1);
        expect(stderr).toMatch(/^[^\n]*linux\.netDevices[^\n]*EPERM[^\n]*run as root[^\n]*\n$/);
      },
    );

    userTest("has hooks, outside with the own id and in the container as its root", async () => {
      const { uid } = account();
      const log = join(homeOf(account()), `hooks-${uid}`);
      const hook = (name: string, file: string) => ({
        path: "/bin/sh",
        args: ["sh", "-c", `echo ${name} $(id -u) >> ${file}`],
        env: ["PATH=/bin:/usr/bin"],
      });
      const outside = ["prestart", "createRuntime", "createContainer", "poststop"] as const;
      const { status, stdout } = await run(
        account(),
        shell(
          "cat /tmp/log",
          own((result) => {
            result.hooks = Object.fromEntries(outside.map((name) => [name, [hook(name, log)]]));
            result.hooks.startContainer = [hook("startContainer", "/tmp/log")];
          }),
        ),
      );
      expect([status, stdout]).toEqual([0, "startContainer 0\n"]);
      expect(readFileSync(log, "utf8")).toBe(
        `prestart ${uid}\ncreateRuntime ${uid}\ncreateContainer 0\npoststop ${uid}\n`,
      );
    });

    peersDiffer({ runc: "it ignores limits that it cannot set", crun: "it is not tested here" })(
      "is told when a limit was asked for that cannot be set",
      async () => {
        if (!canMakeAccounts) return;
        const { status, stderr } = await run(
          account(),
          config(own((result) => (result.linux.resources = { memory: { limit: 64 << 20 } }))),
        );
        expect(status).toBe(1);
        expect(stderr).toMatch(/memory/);
      },
    );

    userTest("cannot map ids that are not its own", async () => {
      const { status, stderr } = await run(
        account(),
        config(
          own((result) => {
            result.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 10 }];
          }),
        ),
      );
      expect(status).toBe(1);
      expect(stderr).not.toBe("");
    });

    userTest("a failing program's status is passed on", async () => {
      expect((await run(account(), shell("exit 9", own()))).status).toBe(9);
    });

    userTest("lifecycle: create, start, state, kill, delete", async () => {
      const { path } = box.bundle(shell("sleep 1000", own()));
      await output(["chown", "-R", "-h", `${account().uid}:${account().gid}`, path]);
      const id = box.id();
      const quiet = (args: string[]) => ["sh", "-c", '"$@" > /dev/null 2> err', "sh", reachable(), ...args];
      const home = homeOf(account());
      const create = await command(
        [...account().become, ...quiet(["create", "--bundle", path, "--pid-file", "pid", id])],
        {
          env: { PATH: searchPath, XDG_RUNTIME_DIR: home },
          cwd: path,
        },
      );
      expect([create.status, readFileSync(join(path, "err"), "utf8")]).toEqual([0, ""]);
      expect(Number(readFileSync(join(path, "pid"), "utf8"))).toBeGreaterThan(1);
      expect((await as(account(), ["start", id])).status).toBe(0);
      expect(JSON.parse((await as(account(), ["state", id])).stdout).status).toBe("running");
      expect((await as(account(), ["kill", id, "KILL"])).status).toBe(0);
      expect((await as(account(), ["delete", "--force", id])).status).toBe(0);
    });
  });
}

describe("a user with subordinate ids", () => {
  const first = (file: string) => Number(/^bunc-test-sub:(\d+):/m.exec(readFileSync(file, "utf8"))?.[1] ?? 0);

  /** Maps the user to root, and the subordinate ids to 1 and above. */
  const mapped =
    (account: Account): Change =>
    (result) => {
      rootless(result, account.uid, account.gid);
      result.linux.uidMappings?.push({ containerID: 1, hostID: first("/etc/subuid"), size: 65_536 });
      result.linux.gidMappings?.push({ containerID: 1, hostID: first("/etc/subgid"), size: 65_536 });
    };

  userTest("maps them, through newuidmap and newgidmap", async () => {
    const account = withSubordinateIds();
    const { status, stdout, stderr } = await run(
      account,
      shell(
        "cat /proc/self/uid_map /proc/self/gid_map | sed 's/  */ /g'; cat /proc/self/setgroups",
        mapped(account),
      ),
    );
    const map = (id: number, file: string) => ` 0 ${id} 1\n 1 ${first(file)} 65536\n`;
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: `${map(account.uid, "/etc/subuid")}${map(account.gid, "/etc/subgid")}allow\n`,
      stderr: "",
    });
  });

  const another =
    (account: Account, additionalGids: number[]): Change =>
    (result) => {
      mapped(account)(result);
      result.process.user = { uid: 1000, gid: 1001, additionalGids };
    };

  userTest("another user of the container has one of them", async () => {
    const account = withSubordinateIds();
    const result = await run(account, shell("id -u; id -G", another(account, [])));
    expect(result).toEqual({ status: 0, stdout: "1000\n1001\n", stderr: "" });
  });

  peersDiffer({ runc: "it allows none to a plain user", crun: "it is not tested here" })(
    "and additional groups",
    async () => {
      if (!canMakeAccounts) return;
      const account = withSubordinateIds();
      const result = await run(account, shell("id -G", another(account, [1002])));
      expect(result).toEqual({ status: 0, stdout: "1001 1002\n", stderr: "" });
    },
  );
});

describe("a namespace that somebody else has made", () => {
  userTest(
    "a config without a user namespace runs in it, as buildah's does for a user with no ids",
    async () => {
      const account = withoutSubordinateIds();
      const { path } = box.bundle(
        shell(
          "id -u; cat /proc/self/uid_map | sed 's/  */ /g'; echo x > /dev/null; ls /sys | head -1",
          (result) => {
            inherit(result, "network");
            for (const mount of result.mounts)
              mount.options = mount.options?.filter((option) => option !== "gid=5") ?? [];
            const sys = {
              destination: "/sys",
              type: "bind",
              source: "/sys",
              options: ["rbind", "nosuid", "noexec", "nodev", "ro"],
            };
            result.mounts = result.mounts.map((mount) => (mount.destination === "/sys" ? sys : mount));
          },
        ),
      );
      await output(["chown", "-R", "-h", `${account.uid}:${account.gid}`, path]);
      const home = homeOf(account);
      await output(["chown", `${account.uid}:${account.gid}`, home]);
      const inside = ["unshare", "--user", "--map-root-user", "--mount", "--", reachable()];
      const { status, stdout, stderr } = await command(
        [...account.become, ...inside, "--root", join(home, "nested"), "run", "--bundle", path, box.id()],
        { env: { PATH: searchPath, XDG_RUNTIME_DIR: home } },
      );
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toBe(`0\n 0 ${account.uid} 1\nblock\n`);
    },
  );
});

describe("where the state goes", () => {
  for (const [what, env] of [
    ["without XDG_RUNTIME_DIR", {}],
    ["with an empty XDG_RUNTIME_DIR", { XDG_RUNTIME_DIR: "" }],
  ] as const) {
    peersDiffer({ runc: "it falls back to /run/runc", crun: "it is not tested here" })(
      `${what}: a private directory, and no error`,
      async () => {
        if (!canMakeAccounts) return;
        const account = withoutSubordinateIds();
        const { path } = box.bundle(shell("echo ok", (result) => rootless(result, account.uid, account.gid)));
        await output(["chown", "-R", "-h", `${account.uid}:${account.gid}`, path]);
        const result = await command([...account.become, reachable(), "run", "--bundle", path, box.id()], {
          env,
        });
        expect(result).toEqual({ status: 0, stdout: "ok\n", stderr: "" });
      },
    );
  }

  peersDiffer({ runc: "it does not look", crun: "it does not look" })(
    "a fallback directory that somebody else has prepared is not used",
    async () => {
      if (!canMakeAccounts) return;
      const account = withoutSubordinateIds();
      const trap = box.directory("trap");
      mkdirSync(join(trap, "bunc"), { mode: 0o777 });
      writeFileSync(join(trap, "bunc/planted"), "");
      chmodSync(join(trap, "bunc"), 0o777);
      chmodSync(trap, 0o777);
      const { status, stderr } = await command([...account.become, reachable(), "state", "x"], {
        env: { XDG_RUNTIME_DIR: trap },
      });
      expect(status).toBe(1);
      expect(stderr).not.toBe("");
      expect(readdirSync(join(trap, "bunc"))).toEqual(["planted"]);
    },
  );
});
