/** `mounts`: what is mounted where, with which options, in which order. */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Change, type Config, config, type Mount, shell } from "./support/config.ts";
import { runtimeKind } from "./support/machine.ts";
import { type Mounted, parseMount } from "./support/mountinfo.ts";
import { peersDiffer, rootTest } from "./support/peers.ts";
import { output, workspace } from "./support/workspace.ts";

const box = workspace("mounts");

const withMounts =
  (...mounts: Mount[]): Change =>
  (result) =>
    void result.mounts.push(...mounts);

/** The mounts that a container with these ones sees; the last on each target. */
async function mountsOf(change: Change): Promise<Map<string, Mounted>> {
  const { status, stdout, stderr } = await box.run(shell("cat /proc/self/mountinfo", change));
  expect([status, stderr]).toEqual([0, ""]);
  const mounts = stdout.trimEnd().split("\n").map(parseMount);
  return new Map(mounts.map((mount) => [mount.target, mount]));
}

/** A directory on the host with one file in it. */
function sourceDirectory(): string {
  const path = box.directory("source");
  writeFileSync(join(path, "file"), "from the host\n");
  return path;
}

const runs = (change: Config) => box.run(change);

describe("bind", () => {
  rootTest("a directory, writable: what is written there is on the host", async () => {
    const source = sourceDirectory();
    const result = await runs(
      shell(
        "cat /mnt/file; echo written > /mnt/new",
        withMounts({ destination: "/mnt", source, type: "bind", options: ["bind"] }),
      ),
    );
    expect(result).toEqual({ status: 0, stdout: "from the host\n", stderr: "" });
    expect(await Bun.file(join(source, "new")).text()).toBe("written\n");
  });

  rootTest("the option makes it one, whatever the type says", async () => {
    const source = sourceDirectory();
    for (const type of ["none", "bind", "ext4", undefined]) {
      const mount: Mount = { destination: "/mnt", source, options: ["rbind"] };
      if (type !== undefined) mount.type = type;
      expect(await runs(shell("cat /mnt/file", withMounts(mount)))).toMatchObject({
        status: 0,
        stdout: "from the host\n",
      });
    }
  });

  rootTest("a file", async () => {
    const source = join(sourceDirectory(), "file");
    const mount: Mount = { destination: "/etc/passwd", source, type: "bind", options: ["bind", "ro"] };
    const { stdout } = await runs(shell("cat /etc/passwd; echo x 2>&1 > /etc/passwd", withMounts(mount)));
    expect(stdout).toContain("from the host\n");
  });

  rootTest("a missing destination is made: a directory for a directory, a file for a file", async () => {
    const source = sourceDirectory();
    const { path, rootfs } = box.bundle(
      shell(
        "cat /a/b/c/file /d/e/f",
        withMounts(
          { destination: "/a/b/c", source, type: "bind", options: ["bind"] },
          { destination: "/d/e/f", source: join(source, "file"), type: "bind", options: ["bind"] },
        ),
      ),
    );
    const { stdout } = await box.runtime(["run", "--bundle", path, box.id()]);
    expect(stdout).toBe("from the host\nfrom the host\n");
    expect(statSync(join(rootfs, "a/b/c")).isDirectory()).toBe(true);
    expect(statSync(join(rootfs, "d/e/f")).isFile()).toBe(true);
    expect(readdirSync(join(rootfs, "a/b/c"))).toEqual([]);
  });

  rootTest("a source relative to the bundle", async () => {
    const { path } = box.bundle(
      shell(
        "cat /mnt/file",
        withMounts({ destination: "/mnt", source: "beside", type: "bind", options: ["bind"] }),
      ),
    );
    mkdirSync(join(path, "beside"));
    writeFileSync(join(path, "beside/file"), "beside\n");
    const { stdout } = await box.runtime(["run", "--bundle", path, box.id()]);
    expect(stdout).toBe("beside\n");
  });

  rootTest("a source that is a symbolic link: what it leads to", async () => {
    const source = sourceDirectory();
    symlinkSync(source, join(box.path, "link"));
    const mount: Mount = {
      destination: "/mnt",
      source: join(box.path, "link"),
      type: "bind",
      options: ["bind"],
    };
    expect((await runs(shell("cat /mnt/file", withMounts(mount)))).stdout).toBe("from the host\n");
  });

  rootTest("a source that does not exist is an error that names it", async () => {
    const mount: Mount = { destination: "/mnt", source: "/no/such/source", type: "bind", options: ["bind"] };
    const { status, stderr } = await runs(config(withMounts(mount)));
    expect(status).toBe(1);
    expect(stderr).toContain("/no/such/source");
    if (runtimeKind === "bunc") expect(stderr).toContain("mounts[4]");
  });

  rootTest("bind takes one file system, rbind what is mounted beneath it too", async () => {
    const source = box.directory("tree");
    const inner = join(source, "inner");
    mkdirSync(inner);
    // The tests run in mounts of their own: the machine does not see it.
    const script = `mount -t tmpfs inner ${inner} && echo deep > ${inner}/file && exec "$@"`;
    const wrap = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"];
    for (const [option, found] of [
      ["bind", ""],
      ["rbind", "deep\n"],
    ] as const) {
      const mount: Mount = { destination: "/mnt", source, type: "bind", options: [option] };
      const { stdout } = await box.run(shell("cat /mnt/inner/file 2>/dev/null", withMounts(mount)), { wrap });
      expect([option, stdout]).toEqual([option, found]);
    }
  });

  rootTest("ro makes the mount read-only, and leaves the host's writable", async () => {
    const source = sourceDirectory();
    for (const options of [
      ["bind", "ro"],
      ["rbind", "ro"],
      ["ro", "bind"],
    ]) {
      const mount: Mount = { destination: "/mnt", source, type: "bind", options };
      const { stdout } = await runs(
        shell("echo x 2>/dev/null > /mnt/file || echo refused", withMounts(mount)),
      );
      expect([options, stdout]).toEqual([options, "refused\n"]);
    }
    writeFileSync(join(source, "file"), "still writable");
  });

  peersDiffer({ crun: "1.8 adds up flags" })("the later of ro and rw holds", async () => {
    const source = sourceDirectory();
    const mount: Mount = { destination: "/mnt", source, type: "bind", options: ["bind", "ro", "rw"] };
    expect((await runs(shell("echo x > /mnt/file && echo ok", withMounts(mount)))).stdout).toBe("ok\n");
  });
});

describe("options of a mount", () => {
  const table: [string, string][] = [
    ["nosuid", "nosuid"],
    ["nodev", "nodev"],
    ["noexec", "noexec"],
    ["noatime", "noatime"],
    ["relatime", "relatime"],
    ["nodiratime", "nodiratime"],
    ["ro", "ro"],
  ];
  for (const [option, shown] of table) {
    rootTest(`${option} on a tmpfs and on a bind mount`, async () => {
      const source = sourceDirectory();
      const mounts = await mountsOf(
        withMounts(
          { destination: "/t", type: "tmpfs", source: "tmpfs", options: [option] },
          { destination: "/b", type: "bind", source, options: ["bind", option] },
        ),
      );
      expect(mounts.get("/t")?.options).toContain(shown);
      expect(mounts.get("/b")?.options).toContain(shown);
    });
  }

  rootTest("strictatime", async () => {
    const mounts = await mountsOf(
      withMounts({ destination: "/t", type: "tmpfs", source: "tmpfs", options: ["strictatime"] }),
    );
    expect(mounts.get("/t")?.options).not.toContain("relatime");
  });

  peersDiffer({ crun: "1.8 adds up flags" })("the opposites take a flag away again", async () => {
    const options = ["nosuid", "nodev", "noexec", "ro", "suid", "dev", "exec", "rw"];
    const mounts = await mountsOf(withMounts({ destination: "/t", type: "tmpfs", source: "tmpfs", options }));
    for (const flag of ["nosuid", "nodev", "noexec", "ro"])
      expect(mounts.get("/t")?.options).not.toContain(flag);
  });

  rootTest("async and an empty list change nothing", async () => {
    for (const options of [["async"], []]) {
      const mounts = await mountsOf(
        withMounts({ destination: "/t", type: "tmpfs", source: "tmpfs", options }),
      );
      expect(mounts.get("/t")?.options).toContain("rw");
    }
  });

  peersDiffer({ runc: "1.1 gives it to the file system, and tmpfs refuses it" })(
    "nor does defaults",
    async () => {
      const mounts = await mountsOf(
        withMounts({ destination: "/t", type: "tmpfs", source: "tmpfs", options: ["defaults"] }),
      );
      expect(mounts.get("/t")?.options).toContain("rw");
    },
  );

  rootTest("those that the runtime does not know go to the file system", async () => {
    const mounts = await mountsOf(
      withMounts({
        destination: "/t",
        type: "tmpfs",
        source: "tmpfs",
        options: ["size=65536", "nr_inodes=77", "mode=0711", "uid=5", "gid=6"],
      }),
    );
    expect(mounts.get("/t")?.superOptions).toEqual(
      expect.arrayContaining(["size=64k", "nr_inodes=77", "mode=711", "uid=5", "gid=6"]),
    );
  });

  peersDiffer({ crun: "its error names t, not /t" })(
    "one that the file system does not know is an error that names the destination",
    async () => {
      const { status, stderr } = await runs(
        config(
          withMounts({ destination: "/t", type: "tmpfs", source: "tmpfs", options: ["nosuchoption=1"] }),
        ),
      );
      expect(status).toBe(1);
      expect(stderr).toMatch(/\/t\b|mounts\[4\]/);
    },
  );

  peersDiffer({ crun: "its error names t, not /t" })(
    "a file system that does not exist is an error that names it",
    async () => {
      const { status, stderr } = await runs(
        config(withMounts({ destination: "/t", type: "nosuchfs", source: "x" })),
      );
      expect(status).toBe(1);
      expect(stderr).toMatch(runtimeKind === "bunc" ? /nosuchfs/ : /\/t/);
    },
  );

  rootTest("on rbind they hold for what is beneath too, with the recursive ones", async () => {
    const source = box.directory("tree");
    const inner = join(source, "inner");
    mkdirSync(inner);
    const script = `mount -t tmpfs inner ${inner} && exec "$@"`;
    const wrap = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"];
    const mount: Mount = { destination: "/mnt", source, type: "bind", options: ["rbind", "rro", "rnosuid"] };
    const { status, stdout, stderr } = await box.run(shell("cat /proc/self/mountinfo", withMounts(mount)), {
      wrap,
    });
    expect([status, stderr]).toEqual([0, ""]);
    const found = stdout
      .trimEnd()
      .split("\n")
      .map(parseMount)
      .find(({ target }) => target === "/mnt/inner");
    expect(found?.options).toEqual(expect.arrayContaining(["ro", "nosuid"]));
  });
});

describe("file systems", () => {
  rootTest("proc, sysfs, devpts, mqueue, tmpfs, each with its options", async () => {
    const mounts = await mountsOf(
      withMounts(
        {
          destination: "/dev/shm",
          type: "tmpfs",
          source: "shm",
          options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
        },
        {
          destination: "/dev/mqueue",
          type: "mqueue",
          source: "mqueue",
          options: ["nosuid", "noexec", "nodev"],
        },
      ),
    );
    const types = Object.fromEntries([...mounts].map(([target, { type }]) => [target, type]));
    expect(types).toMatchObject({
      "/proc": "proc",
      "/dev": "tmpfs",
      "/dev/pts": "devpts",
      "/dev/shm": "tmpfs",
      "/dev/mqueue": "mqueue",
      "/sys": "sysfs",
    });
    expect(mounts.get("/dev/shm")?.superOptions).toContain("size=65536k");
    expect(mounts.get("/dev/pts")?.superOptions).toEqual(
      expect.arrayContaining(["gid=5", "mode=620", "ptmxmode=666"]),
    );
    expect(mounts.get("/sys")?.options).toContain("ro");
  });

  rootTest("nothing of the host's is left in sight", async () => {
    const mounts = await mountsOf(() => {});
    expect([...mounts.keys()].sort()).toEqual(["/", "/dev", "/dev/pts", "/proc", "/sys"]);
  });

  const prepareMode = (rootfs: string) => void Bun.spawnSync(["mkdir", "-m", "0751", join(rootfs, "keep")]);

  peersDiffer({ crun: "1.8 does not look at it" })(
    "the root of a tmpfs on an existing directory has that directory's mode",
    async () => {
      const mount = { destination: "/keep", type: "tmpfs", source: "tmpfs" };
      const { stdout } = await box.run(shell("stat -c %a /keep", withMounts(mount)), {
        prepare: prepareMode,
      });
      expect(stdout).toBe("751\n");
    },
  );

  peersDiffer({ runc: "1.1 takes the directory's all the same" })(
    "or the mode that its options give",
    async () => {
      const mount = { destination: "/keep", type: "tmpfs", source: "tmpfs", options: ["mode=0700"] };
      const { stdout } = await box.run(shell("stat -c %a /keep", withMounts(mount)), {
        prepare: prepareMode,
      });
      expect(stdout).toBe("700\n");
    },
  );
});

describe("the order", () => {
  rootTest("is the list's: a later mount covers an earlier one, and lies on it", async () => {
    const source = sourceDirectory();
    const { stdout } = await runs(
      shell(
        "cat /a/b/file; ls /a",
        withMounts(
          { destination: "/a", type: "tmpfs", source: "tmpfs" },
          { destination: "/a/b", type: "bind", source, options: ["bind"] },
        ),
      ),
    );
    expect(stdout).toBe("from the host\nb\n");
    const covered = await runs(
      shell(
        "ls /a",
        withMounts(
          { destination: "/a/b", type: "bind", source, options: ["bind"] },
          { destination: "/a", type: "tmpfs", source: "tmpfs" },
        ),
      ),
    );
    expect(covered).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});

describe("propagation", () => {
  const propagations: [string, RegExp | undefined][] = [
    ["private", undefined],
    ["rprivate", undefined],
    ["slave", undefined],
    ["shared", /^shared:\d+$/],
    ["rshared", /^shared:\d+$/],
    ["unbindable", /^unbindable$/],
  ];
  for (const [option, shown] of propagations) {
    const define = shown === undefined ? rootTest : peersDiffer({ crun: "1.8 makes it private again" });
    define(option, async () => {
      const source = sourceDirectory();
      const mounts = await mountsOf(
        withMounts({ destination: "/mnt", type: "bind", source, options: ["rbind", option] }),
      );
      expect(mounts.get("/mnt")?.propagation).toEqual(
        shown === undefined ? [] : [expect.stringMatching(shown)],
      );
    });
  }

  rootTest(
    "is private where nothing is asked: mounts on the host do not appear in the container",
    async () => {
      const mounts = await mountsOf(() => {});
      for (const mount of mounts.values())
        expect(mount.propagation.filter((field) => field.startsWith("shared"))).toEqual([]);
    },
  );
});

describe("destinations", () => {
  rootTest("with .., //, and a trailing slash are what they mean inside the root", async () => {
    const source = sourceDirectory();
    for (const destination of ["/../../../mnt", "//mnt//", "/tmp/../mnt/."]) {
      const { stdout } = await runs(
        shell("cat /mnt/file", withMounts({ destination, type: "bind", source, options: ["bind"] })),
      );
      expect([destination, stdout]).toEqual([destination, "from the host\n"]);
    }
    expect(existsSync("/mnt/file")).toBe(false);
  });

  rootTest("with spaces and other characters", async () => {
    const source = sourceDirectory();
    const destination = "/a b/\u00e9\\040#";
    const { stdout } = await runs(
      shell(
        'cat "/a b/\u00e9\\\\040#/file"',
        withMounts({ destination, type: "bind", source, options: ["bind"] }),
      ),
    );
    expect(stdout).toBe("from the host\n");
  });

  peersDiffer({ runc: "it takes /x and warns", crun: "it takes / and more" })(
    "/ is refused, or covers the root",
    async () => {
      const { status, stderr } = await runs(
        config(withMounts({ destination: "/", type: "tmpfs", source: "tmpfs" })),
      );
      if (status !== 0) expect(stderr).toMatch(/mounts\[4\]|\//);
    },
  );
});

describe("the caller's mounts", () => {
  rootTest("are the same after a container has run, and after one that failed", async () => {
    const before = await output(["cat", "/proc/self/mountinfo"]);
    await runs(config());
    await runs(
      config(withMounts({ destination: "/mnt", source: "/no/such/source", type: "bind", options: ["bind"] })),
    );
    expect(await output(["cat", "/proc/self/mountinfo"])).toBe(before);
  });
});
