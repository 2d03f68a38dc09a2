/** The option tmpcopyup: a tmpfs that begins with what the image has in its place. */
import { describe, expect } from "bun:test";
import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Running } from "./support/command.ts";
import { type Change, config, type Mount, shell, sleeper } from "./support/config.ts";
import { hasProgram, runtimeKind } from "./support/machine.ts";
import { oursOnly, peersDiffer, rootTest, testIf } from "./support/peers.ts";
import { command, workspace } from "./support/workspace.ts";

const box = workspace("tmpcopyup");

const copied = (options: string[] = [], more: Mount[] = []): Change => {
  const mount = { destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", ...options] };
  return (result) => void result.mounts.push(...more, mount);
};

const base = 100_000;

const mapped =
  (change: Change): Change =>
  (result) => {
    result.linux.namespaces.push({ type: "user" });
    result.linux.uidMappings = [{ containerID: 0, hostID: base, size: 65_536 }];
    result.linux.gidMappings = [{ containerID: 0, hostID: base, size: 65_536 }];
    change(result);
  };

/** Something of everything. @param first what id 0 of the container is */
const furnish =
  (first = 0) =>
  (rootfs: string) => {
    const data = join(rootfs, "data");
    mkdirSync(join(data, "deep/er"), { recursive: true });
    writeFileSync(join(data, "deep/er/file"), "from the image\n");
    writeFileSync(join(data, "empty"), "");
    writeFileSync(join(data, "big"), "0123456789abcdef".repeat(200_000));
    linkSync(join(data, "empty"), join(data, "twin"));
    symlinkSync("/etc/passwd", join(data, "absolute"));
    symlinkSync("deep/er", join(data, "relative"));
    Bun.spawnSync(["mkfifo", join(data, "fifo")]);
    Bun.spawnSync(["chown", "-R", "-h", `${first}:${first}`, rootfs]);
    chownSync(join(data, "deep/er/file"), first + 5, first + 6);
    chmodSync(join(data, "deep/er/file"), 0o4751);
    chownSync(join(data, "deep"), first + 7, first + 8);
    chmodSync(join(data, "deep"), 0o1730);
    chmodSync(data, 0o751);
    lutimesSync(join(data, "absolute"), 1, 1);
  };

const look = `cd /data && find . | sort | xargs stat -c '%n %A %u:%g' && readlink absolute && readlink relative && cat relative/file && wc -c < big && stat -f -c %T .`;

const found = `. drwxr-x--x 0:0
./absolute lrwxrwxrwx 0:0
./big -rw-r--r-- 0:0
./deep drwx-wx--T 7:8
./deep/er drwxr-xr-x 0:0
./deep/er/file -rwsr-x--x 5:6
./empty -rw-r--r-- 0:0
./fifo prw-r--r-- 0:0
./relative lrwxrwxrwx 0:0
./twin -rw-r--r-- 0:0
/etc/passwd
deep/er
from the image
3200000
tmpfs
`;

const both =
  (...changes: Change[]): Change =>
  (result) => {
    for (const change of changes) change(result);
  };

/** Everything in the image may be read. */
const reader: Change = (result) => {
  const { capabilities } = result.process;
  for (const set of ["bounding", "effective", "permitted"] as const)
    capabilities?.[set]?.push("CAP_DAC_OVERRIDE");
};

const modeOfRoot = { crun: "1.8 gives the tmpfs itself a mode of its own, 1777" };

describe("what the image has is there", () => {
  peersDiffer({ ...modeOfRoot, runc: "1.1 cannot copy a FIFO" })(
    "with owners, modes, links and content",
    async () => {
      const change = both(copied(), reader);
      const { status, stdout, stderr } = await box.run(shell(look, change), { prepare: furnish() });
      expect([stderr, stdout, status]).toEqual(["", found, 0]);
    },
  );

  oursOnly("in a user namespace, with the container's ids", async () => {
    const change = mapped(both(copied(), reader));
    const { status, stdout, stderr } = await box.run(shell(look, change), { prepare: furnish(base) });
    expect([stderr, stdout, status]).toEqual(["", found, 0]);
  });

  rootTest("and the image stays as it is, whatever happens to the copy", async () => {
    const { path, rootfs } = box.bundle(
      shell("echo x > /data/deep/er/file; echo y > /data/new; rm /data/big; ls /data/big", copied()),
      furnish(),
    );
    await box.runtime(["run", "--bundle", path, box.id()]);
    expect(readFileSync(join(rootfs, "data/deep/er/file"), "utf8")).toBe("from the image\n");
    expect(readFileSync(join(rootfs, "data/big")).length).toBe(3_200_000);
    expect(await Bun.file(join(rootfs, "data/new")).exists()).toBe(false);
  });

  rootTest("in a tmpfs that is read-only afterwards", async () => {
    const script = "cat /data/deep/er/file; touch /data/new 2>/dev/null || echo refused";
    const change = both(copied(["ro", "nosuid"]), reader);
    const prepare = (rootfs: string) => {
      mkdirSync(join(rootfs, "data/deep/er"), { recursive: true });
      writeFileSync(join(rootfs, "data/deep/er/file"), "from the image\n");
    };
    expect((await box.run(shell(script, change), { prepare })).stdout).toBe("from the image\nrefused\n");
  });

  rootTest("nothing, where the image has nothing", async () => {
    expect((await box.run(shell("ls -A /data && echo made", copied()))).stdout).toBe("made\n");
  });

  rootTest("what an earlier mount has put there, too", async () => {
    const source = box.directory("source");
    mkdirSync(join(source, "inner"));
    writeFileSync(join(source, "inner/file"), "of the volume\n");
    const inner = { destination: "/data/inner", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] };
    const change: Change = (result) => {
      result.mounts.push({ destination: "/data", type: "bind", source, options: ["bind"] }, inner);
    };
    const script = "cat /data/inner/file; echo x > /data/inner/file";
    expect((await box.run(shell(script, change))).stdout).toBe("of the volume\n");
    expect(readFileSync(join(source, "inner/file"), "utf8")).toBe("of the volume\n");
  });

  rootTest("a thousand files, in many directories", async () => {
    const prepare = (rootfs: string) => {
      for (let directory = 0; directory < 20; directory++) {
        mkdirSync(join(rootfs, `data/${directory}`), { recursive: true });
        for (let file = 0; file < 50; file++)
          writeFileSync(join(rootfs, `data/${directory}/${file}`), `${file}`);
      }
    };
    const script = "find /data -type f | wc -l; cat /data/19/49; find /data -type d | wc -l";
    expect((await box.run(shell(script, copied()), { prepare })).stdout).toBe("1000\n4921\n");
  });

  oursOnly("by mount(2), for what fsconfig(2) cannot say", async () => {
    const change = both(copied(["silent", "mode=700"]), reader);
    const script = "cat /data/deep/er/file; stat -c %a /data";
    expect((await box.run(shell(script, change), { prepare: furnish() })).stdout).toBe(
      "from the image\n700\n",
    );
  });
});

testIf(
  hasProgram("setfattr") && hasProgram("setcap") && runtimeKind === "bunc",
  "needs setfattr and setcap, and a runtime that copies extended attributes",
)("extended attributes and capabilities of files are copied, in a user namespace, too", async () => {
  for (const [first, change] of [
    [0, copied()],
    [base, mapped(copied())],
  ] as const) {
    const prepare = (rootfs: string) => {
      furnish(first)(rootfs);
      const file = join(rootfs, "data/empty");
      Bun.spawnSync(["setfattr", "-n", "user.kept", "-v", "yes", file]);
      Bun.spawnSync(["setfattr", "-n", "user.of-directory", "-v", "yes", join(rootfs, "data/deep")]);
      if (first === 0) Bun.spawnSync(["setcap", "cap_net_raw=ep", file]);
    };
    const container = await box.create(sleeper(change), { prepare });
    await container.start();
    const data = `/proc/${container.pid}/root/data`;
    const value = async (name: string, file: string) =>
      (await command(["getfattr", "--only-values", "-n", name, join(data, file)], {})).stdout;
    expect([await value("user.kept", "empty"), await value("user.of-directory", "deep")]).toEqual([
      "yes",
      "yes",
    ]);
    if (first === 0) {
      const { stdout } = await command(["getcap", join(data, "empty")], {});
      expect(stdout).toContain("cap_net_raw=ep");
    }
    await container.delete("--force");
  }
});

describe("what the container may not have is not copied", () => {
  oursOnly("a file that its root may not read is an error that names it", async () => {
    const prepare = (rootfs: string) => {
      furnish(base)(rootfs);
      chownSync(join(rootfs, "data/big"), 0, 0);
      chmodSync(join(rootfs, "data/big"), 0o600);
    };
    const { status, stderr } = await box.run(config(mapped(copied())), { prepare });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^[^\n]*mounts\[4\] \(tmpcopyup\): \.\/big[^\n]*EACCES[^\n]*\n$/);
  });

  oursOnly("one without an owner in the container becomes its root's, without set-id bits", async () => {
    const prepare = (rootfs: string) => {
      furnish(base)(rootfs);
      chownSync(join(rootfs, "data/empty"), 12, 12);
      chmodSync(join(rootfs, "data/empty"), 0o6755);
    };
    const { stdout } = await box.run(shell("stat -c '%a %u:%g' /data/empty", mapped(copied())), { prepare });
    expect(stdout).toBe("755 0:0\n");
  });

  rootTest("a link is copied, not what it leads to", async () => {
    const secret = join(box.directory("host"), "secret");
    writeFileSync(secret, "secret");
    const prepare = (rootfs: string) => {
      mkdirSync(join(rootfs, "data"));
      symlinkSync(secret, join(rootfs, "data/file"));
      symlinkSync(join(secret, ".."), join(rootfs, "data/directory"));
    };
    const { stdout } = await box.run(
      shell("cat /data/file /data/directory/secret 2>/dev/null; ls /data", copied()),
      { prepare },
    );
    expect(stdout).toBe("directory\nfile\n");
  });
});

describe("while somebody exchanges a directory of the image with a link to the host's", () => {
  rootTest("nothing of the host's is copied", async () => {
    const host = box.directory("host");
    writeFileSync(join(host, "file"), "secret\n");
    const { path, rootfs } = box.bundle(shell("cat /data/*/file", copied()));
    for (const name of ["a", "b"]) {
      mkdirSync(join(rootfs, `data/${name}`), { recursive: true });
      writeFileSync(join(rootfs, `data/${name}/file`), "of the image\n");
    }
    const link = join(rootfs, "link");
    symlinkSync(host, link);
    const swap = join(import.meta.dir, "support/swap.ts");
    const racer = new Running([process.execPath, swap, join(rootfs, "data/b"), link], { timeout: 120_000 });
    try {
      for (let round = 0; round < 10; round++) {
        const { stdout } = await box.runtime(["run", "--bundle", path, box.id()]);
        // The link itself may be copied: it leads to nothing in the container.
        expect(stdout).not.toContain("secret");
      }
    } finally {
      racer.kill("SIGKILL");
      await racer.finished;
    }
  });
});

describe("refused", () => {
  oursOnly("a tmpfs that is too small, by the file that does not fit", async () => {
    const { status, stderr } = await box.run(config(copied(["size=1m"])), { prepare: furnish() });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^[^\n]*tmpcopyup[^\n]*\/big[^\n]*ENOSPC[^\n]*size=[^\n]*\n$/);
  });

  peersDiffer({ crun: "its error does not name the mount", runc: "nor does this one" })(
    "anything but a tmpfs",
    async () => {
      const mount = { destination: "/data", type: "ramfs", source: "x", options: ["tmpcopyup"] };
      const { status, stderr } = await box.run(config((result) => void result.mounts.push(mount)));
      expect(status).toBe(1);
      expect(stderr).toMatch(/^[^\n]*mounts\[4\]\.options\[0\] is tmpcopyup[^\n]*\n$/);
    },
  );
});
