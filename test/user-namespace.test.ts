/** User namespaces made by root: id maps, who owns what, and what still works inside. */
import { describe, expect } from "bun:test";
import { chmodSync, mkdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processStatus, statusField } from "./support/command.ts";
import { type Change, type Config, config, shell, sleeper } from "./support/config.ts";
import { oursOnly, peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("userns");

const base = 100_000;
const size = 65_536;

/** Puts the container into a user namespace of 65,536 ids from 100,000. */
const mapped =
  (change: Change = () => {}): Change =>
  (result) => {
    result.linux.namespaces.push({ type: "user" });
    result.linux.uidMappings = [{ containerID: 0, hostID: base, size }];
    result.linux.gidMappings = [{ containerID: 0, hostID: base, size }];
    change(result);
  };

const giveAway = (rootfs: string) => void Bun.spawnSync(["chown", "-R", "-h", `${base}:${base}`, rootfs]);

const run = (configuration: Config) => box.run(configuration, { prepare: giveAway });

describe("id maps", () => {
  rootTest("are the config's, in its order", async () => {
    const { status, stdout } = await run(
      shell(
        "id -u; cat /proc/self/uid_map /proc/self/gid_map | sed 's/  */ /g'",
        mapped((result) => {
          result.linux.uidMappings = [
            { containerID: 0, hostID: base, size: 1000 },
            { containerID: 1000, hostID: 5000, size: 1 },
            { containerID: 2000, hostID: base + 2000, size: 10 },
          ];
        }),
      ),
    );
    expect(status).toBe(0);
    expect(stdout).toBe(`0\n 0 ${base} 1000\n 1000 5000 1\n 2000 ${base + 2000} 10\n 0 ${base} ${size}\n`);
  });

  rootTest("hold for the waiting init and for the program", async () => {
    const container = await box.create(sleeper(mapped()), { prepare: giveAway });
    expect(statusField(processStatus(container.pid), "Uid").split("\t")[0]).toBe(String(base));
    expect(readlinkSync(`/proc/${container.pid}/ns/user`)).not.toBe(readlinkSync("/proc/self/ns/user"));
    await container.start();
    expect(statusField(processStatus(container.pid), "Uid")).toBe(Array(4).fill(base).join("\t"));
    await container.delete("--force");
  });

  rootTest("another user, and additional groups", async () => {
    const container = await box.create(
      sleeper(
        mapped((result) => {
          result.process.user = { uid: 1000, gid: 1001, additionalGids: [5] };
        }),
      ),
      { prepare: giveAway },
    );
    await container.start();
    const status = processStatus(container.pid);
    expect(statusField(status, "Uid").split("\t")[0]).toBe(String(base + 1000));
    expect(statusField(status, "Gid").split("\t")[0]).toBe(String(base + 1001));
    expect(statusField(status, "Groups").trim()).toBe(String(base + 5));
    await container.delete("--force");
  });

  rootTest("a user that is not mapped is an error", async () => {
    for (const user of [
      { uid: 70_000, gid: 0 },
      { uid: 0, gid: 70_000 },
    ]) {
      const { status, stderr } = await run(config(mapped((result) => (result.process.user = user))));
      expect(status).toBe(1);
      expect(stderr).not.toBe("");
    }
  });

  peersDiffer({ runc: "1.1 ignores them", crun: "it ignores them" })(
    "without a user namespace are an error",
    async () => {
      const { status, stderr } = await box.run(
        config((result) => (result.linux.uidMappings = [{ containerID: 0, hostID: base, size }])),
      );
      expect(status).toBe(1);
      expect(stderr).toMatch(/user|map/i);
    },
  );

  rootTest("missing in a new user namespace are an error", async () => {
    const { status, stderr } = await box.run(
      config((result) => result.linux.namespaces.push({ type: "user" })),
    );
    expect(status).toBe(1);
    expect(stderr).not.toBe("");
  });

  rootTest("that overlap are an error", async () => {
    const { status, stderr } = await run(
      config(
        mapped((result) => {
          result.linux.uidMappings = [
            { containerID: 0, hostID: base, size: 10 },
            { containerID: 5, hostID: base + 100, size: 10 },
          ];
        }),
      ),
    );
    expect(status).toBe(1);
    expect(stderr).not.toBe("");
  });
});

describe("inside", () => {
  rootTest("files belong to the mapped ids", async () => {
    const { path, rootfs } = box.bundle(
      shell("touch /root/made; chown 7:8 /root/made", mapped(withChown)),
      giveAway,
    );
    expect((await box.runtime(["run", "--bundle", path, box.id()])).status).toBe(0);
    expect(statSync(join(rootfs, "root/made"))).toMatchObject({ uid: base + 7, gid: base + 8 });
  });

  rootTest("the default devices work", async () => {
    const { stdout } = await run(
      shell(
        "for d in null zero full random urandom tty; do stat -c '%n %F %t:%T' /dev/$d; done; echo x > /dev/null && head -c 2 /dev/zero | od -An -tx1",
        mapped(),
      ),
    );
    expect(stdout).toBe(
      [
        "/dev/null character special file 1:3",
        "/dev/zero character special file 1:5",
        "/dev/full character special file 1:7",
        "/dev/random character special file 1:8",
        "/dev/urandom character special file 1:9",
        "/dev/tty character special file 5:0",
        " 00 00",
        "",
      ].join("\n"),
    );
  });

  rootTest("the file systems that buildah asks for are mounted", async () => {
    const { status, stdout } = await run(
      shell(
        "cut -d' ' -f2,3 /proc/mounts",
        mapped((result) => {
          result.mounts.push(
            {
              destination: "/dev/shm",
              type: "tmpfs",
              source: "shm",
              options: ["nosuid", "noexec", "nodev", "mode=1777"],
            },
            {
              destination: "/dev/mqueue",
              type: "mqueue",
              source: "mqueue",
              options: ["nosuid", "noexec", "nodev"],
            },
          );
        }),
      ),
    );
    expect(status).toBe(0);
    for (const line of [
      "/proc proc",
      "/dev tmpfs",
      "/dev/pts devpts",
      "/sys sysfs",
      "/dev/shm tmpfs",
      "/dev/mqueue mqueue",
    ]) {
      expect(stdout).toContain(`${line}\n`);
    }
  });

  rootTest("a bind mount whose source only the caller can reach", async () => {
    const hidden = box.directory("hidden");
    const source = join(hidden, "inner");
    mkdirSync(source);
    writeFileSync(join(source, "file"), "reached\n");
    chmodSync(hidden, 0o700);
    const { status, stdout, stderr } = await run(
      shell(
        "cat /mnt/file",
        mapped((result) => {
          result.mounts.push({ destination: "/mnt", source, type: "bind", options: ["rbind", "ro"] });
        }),
      ),
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "reached\n", stderr: "" });
  });

  rootTest("read-only bind mounts keep the flags that the namespace may not clear", async () => {
    const source = box.directory("locked");
    const { status, stdout } = await run(
      shell(
        "grep ' /mnt ' /proc/self/mountinfo | cut -d' ' -f6",
        mapped((result) => {
          // /dev/shm and the like carry nosuid,nodev; proc here does.
          result.mounts.push(
            { destination: "/mnt", source, type: "bind", options: ["rbind", "nosuid", "nodev"] },
            { destination: "/mnt", source: "/proc", type: "bind", options: ["rbind", "ro"] },
          );
        }),
      ),
    );
    expect(status).toBe(0);
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^ro,/);
  });

  rootTest("masked and read-only paths hold", async () => {
    const { stdout } = await run(
      shell(
        "wc -c < /proc/timer_list; echo 1 > /proc/sys/kernel/hostname || echo refused",
        mapped((result) => {
          result.linux.maskedPaths = ["/proc/timer_list"];
          result.linux.readonlyPaths = ["/proc/sys"];
        }),
      ),
    );
    expect(stdout).toBe("0\nrefused\n");
  });

  rootTest("setgroups is allowed for root's own maps", async () => {
    const { stdout } = await run(shell("cat /proc/self/setgroups", mapped()));
    expect(stdout).toBe("allow\n");
  });
});

function withChown(result: Config): void {
  const names = ["CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE"];
  result.process.capabilities = { bounding: names, effective: names, permitted: names };
}

describe("joined by path", () => {
  peersDiffer({ runc: "1.1 wants id maps beside the path", crun: "1.8 cannot mount there" })(
    "a user namespace and its network namespace",
    async () => {
      const first = await box.create(sleeper(mapped()), { prepare: giveAway });
      const { status, stdout, stderr } = await run(
        shell("id -u; cat /proc/self/uid_map | sed 's/  */ /g'; readlink /proc/self/ns/user", (result) => {
          result.linux.namespaces = result.linux.namespaces.filter(({ type }) => type !== "network");
          result.linux.namespaces.push(
            { type: "user", path: `/proc/${first.pid}/ns/user` },
            { type: "network", path: `/proc/${first.pid}/ns/net` },
          );
        }),
      );
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout).toBe(`0\n 0 ${base} ${size}\n${readlinkSync(`/proc/${first.pid}/ns/user`)}\n`);
      await first.delete();
    },
  );
});

describe("the caller's own id", () => {
  rootTest("mapped alone is a whole user namespace too", async () => {
    const { status, stdout } = await box.run(
      shell("id -u; cat /proc/self/uid_map | sed 's/  */ /g'", (result) => {
        result.linux.namespaces.push({ type: "user" });
        result.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1 }];
        result.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 1 }];
        for (const mount of result.mounts)
          mount.options = mount.options?.filter((option) => option !== "gid=5") ?? [];
      }),
    );
    expect([status, stdout]).toEqual([0, "0\n 0 0 1\n"]);
  });
});

describe("what belongs to its root", () => {
  peersDiffer({ runc: "1.1 leaves the group to somebody unknown" })("the message queues", async () => {
    const { stdout } = await run(
      shell(
        "stat -c '%u %g' /dev/mqueue",
        mapped((result) => {
          result.mounts.push({ destination: "/dev/mqueue", type: "mqueue", source: "mqueue" });
        }),
      ),
    );
    expect(stdout).toBe("0 0\n");
  });

  rootTest("the root file system, on a machine that cannot put its own aside", async () => {
    const { status, stdout, stderr } = await box.run(shell("cd /..; ls -d bin; id -u", mapped()), {
      prepare: giveAway,
      flags: ["--no-pivot"],
    });
    expect([status, stderr, stdout]).toEqual([0, "", "bin\n0\n"]);
  });
});

describe("two hundred bind mounts", () => {
  rootTest(
    "need no more open files than the caller may have, and the process has the caller's limit",
    async () => {
      const source = box.directory("many");
      const change = mapped((result) => {
        for (let index = 0; index < 200; index++) {
          const options = ["bind", "ro"];
          result.mounts.push({ destination: `/many/${index}`, type: "bind", source, options });
        }
      });
      const { status, stdout, stderr } = await box.run(
        shell("grep -c ' /many/' /proc/self/mountinfo; ulimit -Sn; ulimit -Hn", change),
        { prepare: giveAway, wrap: ["prlimit", "--nofile=128:4096"] },
      );
      expect([status, stdout, stderr]).toEqual([0, "200\n128\n4096\n", ""]);
    },
  );

  oursOnly("are refused with the cure where the hard limit is too low", async () => {
    const source = box.directory("many");
    const change = mapped((result) => {
      for (let index = 0; index < 200; index++)
        result.mounts.push({ destination: `/many/${index}`, type: "bind", source, options: ["bind"] });
    });
    const wrap = ["prlimit", "--nofile=128:128"];
    const { status, stderr } = await box.run(config(change), { prepare: giveAway, wrap });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^[^\n]*mounts\[\d+\]\.source[^\n]*(EMFILE|EBADF)[^\n]*ulimit -n[^\n]*\n$/);
  });
});
