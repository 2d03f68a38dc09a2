/**
 * Hostile root file systems: links that lead outside, replaced /proc and /sys, a working directory that is a leaked
 * descriptor. Each test names the advisory that it guards against.
 */
import { describe, expect } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Change, config, inherit, type Mount, shell, sleeper } from "./support/config.ts";
import { oursOnly, peersDiffer, rootTest } from "./support/peers.ts";
import { output, workspace } from "./support/workspace.ts";

const box = workspace("escape");

/** A directory on the host that a link in the root file system leads to; nothing may appear in it. */
function outside(): string {
  return box.directory("outside");
}

/** Replaces a path of the root file system by a symbolic link. */
function replaceByLink(rootfs: string, path: string, target: string): void {
  rmSync(join(rootfs, path), { recursive: true, force: true });
  symlinkSync(target, join(rootfs, path));
}

const addMount =
  (mount: Mount): Change =>
  (result) =>
    void result.mounts.push(mount);

describe("a mount's destination (CVE-2019-18837, CVE-2021-30465, CVE-2024-45310)", () => {
  const destinations: [string, (rootfs: string, target: string) => void][] = [
    ["is a link to the host", (rootfs, target) => symlinkSync(target, join(rootfs, "mnt"))],
    ["has a link to the host in its path", (rootfs, target) => symlinkSync(target, join(rootfs, "mnt"))],
    [
      "has a relative link upwards",
      (rootfs, target) => symlinkSync(`../../../../../../../..${target}`, join(rootfs, "mnt")),
    ],
    [
      "is a chain of links",
      (rootfs, target) => {
        symlinkSync("/one", join(rootfs, "mnt"));
        symlinkSync("/proc/self/root/two", join(rootfs, "one"));
        symlinkSync(target, join(rootfs, "two"));
      },
    ],
  ];
  for (const [what, plant] of destinations) {
    for (const type of ["tmpfs", "bind", "file"]) {
      rootTest(`${what}: ${type}`, async () => {
        const target = outside();
        const source = outside();
        writeFileSync(join(source, "file"), "");
        const destination = what.includes("in its path") || type === "file" ? "/mnt/deep/er" : "/mnt";
        const bind = { type: "bind", options: ["bind"] };
        const mount =
          type === "tmpfs"
            ? { destination, type, source: "tmpfs" }
            : { destination, source: type === "file" ? join(source, "file") : source, ...bind };
        const { status, stderr } = await box.run(
          config((result) => addMount(mount)(result)),
          { prepare: (rootfs) => plant(rootfs, target) },
        );
        expect(readdirSync(target)).toEqual([]);
        // Inside the root the link leads to a directory that can be made, or the runtime refuses it.
        if (status !== 0) expect(stderr).not.toBe("");
      });
    }
  }

  rootTest("a link within the root is followed within the root", async () => {
    const source = outside();
    writeFileSync(join(source, "file"), "reached\n");
    const { stdout } = await box.run(
      shell("cat /real/file", addMount({ destination: "/mnt", source, type: "bind", options: ["bind"] })),
      {
        prepare: (rootfs) => {
          mkdirSync(join(rootfs, "real"));
          symlinkSync("/real", join(rootfs, "mnt"));
        },
      },
    );
    expect(stdout).toBe("reached\n");
  });

  rootTest("an endless chain of links is an error", async () => {
    const { status, stderr } = await box.run(
      config(addMount({ destination: "/mnt", type: "tmpfs", source: "tmpfs" })),
      {
        prepare: (rootfs) => symlinkSync("/mnt", join(rootfs, "mnt")),
      },
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/too many|loop|ELOOP/i);
  });
});

describe("/proc and /sys (CVE-2019-16884, CVE-2019-19921, CVE-2023-27561)", () => {
  for (const name of ["proc", "sys"]) {
    rootTest(`/${name} that is a link is refused`, async () => {
      const { status, stderr } = await box.run(config(), {
        prepare: (rootfs) => {
          mkdirSync(join(rootfs, "elsewhere"));
          replaceByLink(rootfs, name, "/elsewhere");
        },
      });
      expect(status).toBe(1);
      expect(stderr).toContain(name);
    });
  }

  peersDiffer({ crun: "1.8 does not look" })("a mount on /proc that is not proc is refused", async () => {
    const source = outside();
    const { status, stderr } = await box.run(
      config((result) => {
        result.mounts[0] = { destination: "/proc", source, type: "bind", options: ["bind"] };
      }),
    );
    expect(status).toBe(1);
    expect(stderr).toContain("/proc");
  });

  peersDiffer({ crun: "1.8 does not look" })("a bind mount beneath /proc is refused", async () => {
    const { status, stderr } = await box.run(
      config(addMount({ destination: "/proc/sys", source: outside(), type: "bind", options: ["bind"] })),
    );
    expect(status).toBe(1);
    expect(stderr).toContain("/proc");
  });

  peersDiffer({ runc: "1.1 looks at bind mounts only", crun: "1.8 does not look" })(
    "a tmpfs beneath /proc is refused",
    async () => {
      const { status, stderr } = await box.run(
        config(addMount({ destination: "/proc/self/attr", type: "tmpfs", source: "tmpfs" })),
      );
      expect(status).toBe(1);
      expect(stderr).toContain("/proc");
    },
  );

  rootTest("a file on one of those that lxcfs provides is not", async () => {
    const source = join(outside(), "uptime");
    writeFileSync(source, "1.00 1.00\n");
    const { stdout } = await box.run(
      shell(
        "cat /proc/uptime",
        addMount({ destination: "/proc/uptime", source, type: "bind", options: ["bind"] }),
      ),
    );
    expect(stdout).toBe("1.00 1.00\n");
  });

  peersDiffer({ runc: "1.1 looks only at the destination's text", crun: "1.8 does not look" })(
    "a mount that a link leads beneath /proc is refused",
    async () => {
      const { status } = await box.run(
        config(addMount({ destination: "/innocent", type: "tmpfs", source: "tmpfs" })),
        {
          prepare: (rootfs) => symlinkSync("/proc/sys", join(rootfs, "innocent")),
        },
      );
      expect(status).toBe(1);
    },
  );
});

describe("/dev (CVE-2026-41579, CVE-2026-47766)", () => {
  peersDiffer({ runc: "1.1.5 is vulnerable", crun: "1.8.1 is vulnerable" })(
    "that is a link to the host, without a mount on it, gets no devices there",
    async () => {
      const target = outside();
      await box.run(
        config(
          (result) =>
            (result.mounts = result.mounts.filter(({ destination }) => !destination.startsWith("/dev"))),
        ),
        { prepare: (rootfs) => replaceByLink(rootfs, "dev", target) },
      );
      expect(readdirSync(target)).toEqual([]);
    },
  );

  peersDiffer({ runc: "1.1.5 is vulnerable" })(
    "that is a link to the host, with a tmpfs on it, gets no devices there",
    async () => {
      const target = outside();
      await box.run(config(), { prepare: (rootfs) => replaceByLink(rootfs, "dev", target) });
      expect(readdirSync(target)).toEqual([]);
    },
  );

  rootTest("whose entries are links to the host leads to no change there", async () => {
    const target = outside();
    writeFileSync(join(target, "file"), "mine");
    const result = await box.run(
      config((changed) => {
        changed.mounts = changed.mounts.filter(({ destination }) => !destination.startsWith("/dev"));
      }),
      {
        prepare: (rootfs) => {
          for (const name of ["null", "zero", "ptmx", "fd", "core", "console"]) {
            symlinkSync(join(target, "file"), join(rootfs, "dev", name));
          }
        },
      },
    );
    expect([readdirSync(target), readFileSync(join(target, "file"), "utf8")]).toEqual([["file"], "mine"]);
    if (result.status !== 0) expect(result.stderr).not.toBe("");
  });
});

describe("masked paths (CVE-2025-31133)", () => {
  peersDiffer({ runc: "1.1.5 is vulnerable", crun: "1.8.1 is vulnerable" })(
    "a /dev/null of the image's own is not what masks",
    async () => {
      const before = readFileSync("/proc/sys/kernel/core_pattern", "utf8");
      const { status, stdout } = await box.run(
        shell("cat /proc/timer_list; echo x > /proc/timer_list; echo end", (result) => {
          result.mounts = result.mounts.filter(({ destination }) => !destination.startsWith("/dev"));
          result.linux.maskedPaths = ["/proc/timer_list"];
        }),
        { prepare: (rootfs) => symlinkSync("/proc/sys/kernel/core_pattern", join(rootfs, "dev/null")) },
      );
      expect(readFileSync("/proc/sys/kernel/core_pattern", "utf8")).toBe(before);
      if (status === 0) expect(stdout).toBe("end\n");
    },
  );

  rootTest("a /dev/null in the image that is an ordinary file is no mask either", async () => {
    const { status, stdout } = await box.run(
      shell("cat /proc/timer_list; echo end", (result) => {
        result.mounts = result.mounts.filter(({ destination }) => !destination.startsWith("/dev"));
        result.linux.maskedPaths = ["/proc/timer_list"];
      }),
      { prepare: (rootfs) => writeFileSync(join(rootfs, "dev/null"), "planted\n") },
    );
    if (status === 0) expect(stdout).not.toContain("planted");
  });
});

describe("the working directory (CVE-2024-21626)", () => {
  peersDiffer({ crun: "1.8.1 is vulnerable" })(
    "in a descriptor that the runtime left open leads nowhere",
    async () => {
      const secret = outside();
      writeFileSync(join(secret, "host-secret"), "");
      for (let fd = 3; fd <= 20; fd++) {
        const { status, stdout } = await box.run(
          shell("pwd; ls -a . ..; cat ../../../../../../etc/hostname", (result) => {
            result.process.cwd = `/proc/self/fd/${fd}`;
          }),
          { wrap: ["sh", "-c", `exec 3<${secret} 9</; exec "$@"`, "sh"] },
        );
        expect([fd, status === 0 && /host-secret|sandbox|vmlinuz|lost\+found/.test(stdout)]).toEqual([
          fd,
          false,
        ]);
        expect([fd, status]).toEqual([fd, 1]);
      }
    },
  );

  rootTest("of a container never leads outside, whatever it is", async () => {
    const { stdout, status } = await box.run(
      shell("pwd", (result) => {
        result.process.cwd = "/../../../..";
      }),
    );
    expect([status, stdout]).toEqual([0, "/\n"]);
  });
});

describe("what the program can reach through /proc (CVE-2016-9962, CVE-2019-5736)", () => {
  rootTest("its root and its descriptors show nothing of the host", async () => {
    const names = ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"];
    const { stdout } = await box.run(
      shell("for p in /proc/[0-9]*; do ls -l $p/fd $p/root $p/cwd $p/exe; done 2>/dev/null", (result) => {
        result.process.capabilities = { bounding: names, effective: names, permitted: names };
      }),
    );
    expect(stdout).not.toContain(box.path);
    expect(stdout).not.toMatch(/-> \/(usr\/s?bin|work|root)\//);
  });

  oursOnly("a program that is #!/proc/self/exe meets the sealed copy, not the runtime", async () => {
    const { status, stderr } = await box.run(
      config((result) => (result.process.args = ["/evil"])),
      { prepare: (rootfs) => writeFileSync(join(rootfs, "evil"), "#!/proc/self/exe\n", { mode: 0o755 }) },
    );
    // The interpreter given to itself has no program to run: whatever happens, nothing of the host's runs.
    expect([status === 0, stderr.includes("version")]).toEqual([false, false]);
  });

  oursOnly("init's executable cannot be opened for writing", async () => {
    const container = await box.create(sleeper((result) => inherit(result, "pid")));
    const { status, stderr } = await box.runtime([], {
      wrap: ["sh", "-c", `: > /proc/${container.pid}/exe`],
    });
    expect([status === 0, stderr]).toEqual([
      false,
      expect.stringMatching(/busy|not permitted|denied|read-only/i),
    ]);
    await container.delete();
  });
});

describe("what the runtime writes into the root file system (CVE-2025-24965)", () => {
  rootTest("goes through no link", async () => {
    const target = outside();
    await box.run(config(), {
      prepare: (rootfs) => {
        for (const name of ["run", "var", ".krun_config.json", ".old_root", ".pivot_root", "mnt"]) {
          symlinkSync(target, join(rootfs, name));
        }
      },
    });
    expect(readdirSync(target)).toEqual([]);
  });

  rootTest("is nothing but what the config asks for", async () => {
    const { path, rootfs } = box.bundle(config());
    const before = await output(["find", rootfs]);
    await box.runtime(["run", "--bundle", path, box.id()]);
    expect(await output(["find", rootfs])).toBe(before);
    expect(existsSync(join(path, "config.json"))).toBe(true);
  });
});

describe("long values (CVE-2021-43784)", () => {
  const long = "x".repeat(70_000);
  rootTest("an annotation of 70,000 bytes is kept whole", async () => {
    const container = await box.create(
      sleeper((result) => {
        result.annotations = { long };
      }),
    );
    expect((await container.state()).annotations?.long).toBe(long);
    await container.delete();
  });

  rootTest("a mount source, a namespace path and a cwd of 70,000 bytes are clean errors", async () => {
    const changes: Change[] = [
      addMount({ destination: "/mnt", source: `/${long}`, type: "bind", options: ["bind"] }),
      addMount({ destination: `/${long}`, source: "tmpfs", type: "tmpfs" }),
      (result) => {
        inherit(result, "network");
        result.linux.namespaces.push({ type: "network", path: `/${long}` });
      },
      (result) => (result.process.cwd = `/${long}`),
    ];
    for (const change of changes) {
      const { status, stderr } = await box.run(config(change));
      expect(status).toBe(1);
      expect(stderr).toMatch(/long|ENAMETOOLONG|path/i);
    }
  });

  rootTest("environment and arguments of a megabyte arrive", async () => {
    const big = "y".repeat(100_000);
    const { status, stdout } = await box.run(
      config((result) => {
        result.process.env = ["PATH=/bin", ...Array.from({ length: 10 }, (_, index) => `V${index}=${big}`)];
        result.process.args = ["sh", "-c", "env | wc -c"];
      }),
    );
    expect(status).toBe(0);
    expect(Number(stdout)).toBeGreaterThan(1_000_000);
  });
});
