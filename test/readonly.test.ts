/** What the program cannot see or change: masked and read-only paths, a read-only root, propagation of the root. */
import { describe, expect } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Change, config, shell } from "./support/config.ts";
import { peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("readonly");

const masked =
  (...paths: string[]): Change =>
  (result) => {
    result.linux.maskedPaths = paths;
  };

const readonly =
  (...paths: string[]): Change =>
  (result) => {
    result.linux.readonlyPaths = paths;
  };

describe("maskedPaths", () => {
  rootTest("a file reads as empty", async () => {
    const { status, stdout } = await box.run(
      shell("cat /proc/timer_list /etc/passwd; echo end", masked("/proc/timer_list", "/etc/passwd")),
    );
    expect([status, stdout]).toEqual([0, "end\n"]);
  });

  rootTest("and is the null device of the machine, not of the image", async () => {
    const { stdout } = await box.run(shell("stat -c '%F %t:%T' /etc/passwd", masked("/etc/passwd")));
    expect(stdout).toBe("character special file 1:3\n");
  });

  rootTest("a directory is empty, and read-only", async () => {
    const { stdout } = await box.run(
      shell(
        "ls -A /sys/firmware; ls -A /secret; touch /secret/x 2>/dev/null || echo refused",
        masked("/sys/firmware", "/secret"),
      ),
      {
        prepare: (rootfs) => {
          mkdirSync(join(rootfs, "secret"));
          writeFileSync(join(rootfs, "secret/file"), "");
        },
      },
    );
    expect(stdout).toBe("refused\n");
  });

  rootTest("one that does not exist is no error, and is not made", async () => {
    const { status, stdout } = await box.run(
      shell("ls /nosuch /proc/nosuch 2>/dev/null; echo end", masked("/nosuch", "/proc/nosuch")),
    );
    expect([status, stdout]).toEqual([0, "end\n"]);
  });

  peersDiffer({ runc: "1.1 fails", crun: "1.8 fails" })("nor is one beneath a file", async () => {
    const { status, stdout } = await box.run(shell("echo end", masked("/etc/passwd/x")));
    expect([status, stdout]).toEqual([0, "end\n"]);
  });

  rootTest("the host's file stays as it is", async () => {
    const source = box.directory("shared");
    writeFileSync(join(source, "secret"), "kept");
    await box.run(
      shell("echo x > /mnt/secret", (result) => {
        result.mounts.push({ destination: "/mnt", source, type: "bind", options: ["rbind"] });
        masked("/mnt/secret")(result);
      }),
    );
    expect(readFileSync(join(source, "secret"), "utf8")).toBe("kept");
  });

  rootTest("a link to the host masks nothing there", async () => {
    const target = box.directory("target");
    writeFileSync(join(target, "file"), "kept");
    const { status, stderr } = await box.run(config(masked("/link", "/link/file")), {
      prepare: (rootfs) => symlinkSync(target, join(rootfs, "link")),
    });
    if (status !== 0) expect(stderr).not.toBe("");
    expect(readFileSync(join(target, "file"), "utf8")).toBe("kept");
  });

  rootTest("the eleven that buildah sends", async () => {
    const paths = "acpi kcore keys latency_stats timer_list timer_stats sched_debug scsi"
      .split(" ")
      .map((name) => `/proc/${name}`);
    const all = [...paths, "/sys/firmware", "/sys/fs/selinux", "/sys/dev/block"];
    const { status, stdout } = await box.run(
      shell("cat /proc/keys /proc/timer_list; ls -A /sys/dev/block; echo end", masked(...all)),
    );
    expect([status, stdout]).toEqual([0, "end\n"]);
  });
});

describe("readonlyPaths", () => {
  rootTest("can be read and not written, whatever they are", async () => {
    const { stdout } = await box.run(
      shell(
        "cat /proc/sys/kernel/hostname; (echo x > /proc/sys/kernel/hostname) 2>/dev/null || echo file refused; touch /etc/new 2>/dev/null || echo directory refused",
        readonly("/proc/sys", "/etc"),
      ),
    );
    expect(stdout).toBe("bunc-test\nfile refused\ndirectory refused\n");
  });

  rootTest("a single file", async () => {
    const { stdout } = await box.run(
      shell(
        "(echo x > /etc/passwd) 2>/dev/null || echo refused; echo x > /etc/group && echo ok",
        readonly("/etc/passwd"),
      ),
    );
    expect(stdout).toBe("refused\nok\n");
  });

  peersDiffer({ crun: "1.8 clears them" })("keep the flags of the mount that they are on", async () => {
    const { stdout } = await box.run(
      shell("grep ' /proc/sys ' /proc/self/mountinfo | cut -d' ' -f6", readonly("/proc/sys")),
    );
    expect(stdout.trim().split(",")).toEqual(expect.arrayContaining(["ro", "nosuid", "nodev", "noexec"]));
  });

  rootTest("one that does not exist is no error", async () => {
    expect((await box.run(config(readonly("/nosuch", "/proc/nosuch")))).status).toBe(0);
  });

  rootTest("a link to the host makes nothing read-only there", async () => {
    const target = box.directory("target");
    await box.run(config(readonly("/link")), {
      prepare: (rootfs) => symlinkSync(target, join(rootfs, "link")),
    });
    writeFileSync(join(target, "file"), "still writable");
  });
});

describe("root.readonly", () => {
  rootTest("the root cannot be written, its mounts can", async () => {
    const { stdout } = await box.run(
      shell(
        "touch /new 2>/dev/null || echo refused; touch /dev/new && echo x > /dev/null && echo ok",
        (result) => {
          result.root.readonly = true;
        },
      ),
    );
    expect(stdout).toBe("refused\nok\n");
  });

  rootTest("destinations that are missing are made all the same", async () => {
    const { status, stdout } = await box.run(
      shell("touch /made/for/it/x && echo ok", (result) => {
        result.root.readonly = true;
        result.process.cwd = "/made/for/it";
        result.mounts.push({ destination: "/made/for/it", type: "tmpfs", source: "tmpfs" });
      }),
    );
    expect([status, stdout]).toEqual([0, "ok\n"]);
  });

  rootTest("the default devices are there all the same, without a mount on /dev", async () => {
    const { status, stdout } = await box.run(
      shell("stat -c %t:%T /dev/null", (result) => {
        result.root.readonly = true;
        result.mounts = result.mounts.filter(({ destination }) => !destination.startsWith("/dev"));
      }),
    );
    expect([status, stdout]).toEqual([0, "1:3\n"]);
  });

  rootTest("the host's directory stays writable", async () => {
    const { path, rootfs } = box.bundle(config((result) => (result.root.readonly = true)));
    expect((await box.runtime(["run", "--bundle", path, box.id()])).status).toBe(0);
    writeFileSync(join(rootfs, "new"), "");
  });
});

describe("linux.rootfsPropagation", () => {
  const shown: [string | undefined, RegExp][] = [
    [undefined, /^$/],
    ["private", /^$/],
    ["rprivate", /^$/],
    ["slave", /^$/],
    ["rslave", /^$/],
    ["shared", /^shared:\d+$/],
    ["rshared", /^shared:\d+$/],
    ["unbindable", /^unbindable$/],
    ["runbindable", /^unbindable$/],
  ];
  for (const [value, fields] of shown) {
    const define = /^(r?shared|r?unbindable)$/.test(String(value))
      ? peersDiffer({ runc: "it applies it to the caller's root before it binds the new one" })
      : rootTest;
    define(String(value), async () => {
      const { status, stdout } = await box.run(
        shell("awk '$5 == \"/\" { print $7 }' /proc/self/mountinfo", (result) => {
          if (value !== undefined) result.linux.rootfsPropagation = value;
        }),
      );
      expect(status).toBe(0);
      expect(stdout.trim().replace(/^-$/, "")).toMatch(fields);
    });
  }

  peersDiffer({ crun: "1.8 does not look" })("an unknown one is an error that names it", async () => {
    const { status, stderr } = await box.run(config((result) => (result.linux.rootfsPropagation = "nosuch")));
    expect(status).toBe(1);
    expect(stderr).toMatch(/nosuch|rootfsPropagation/i);
  });
});
