/** /dev: the devices and links that every container has, and `linux.devices`. */
import { describe, expect } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Change, config, type Device, shell } from "./support/config.ts";
import { peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("devices");

const withDevices =
  (...devices: Device[]): Change =>
  (result) => {
    result.linux.devices = devices;
    const names = ["CAP_MKNOD", "CAP_DAC_OVERRIDE"];
    result.process.capabilities = { bounding: names, effective: names, permitted: names };
  };

async function print(script: string, change?: Change): Promise<string> {
  const { status, stdout, stderr } = await box.run(shell(script, change));
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

describe("every container has", () => {
  rootTest("null, zero, full, random, urandom and tty, which everyone may read and write", async () => {
    const stdout = await print(
      "cd /dev; for d in null zero full random urandom tty; do stat -c '%n %F %t:%T %a %u:%g' $d; done",
    );
    expect(stdout).toBe(
      [
        "null character special file 1:3 666 0:0",
        "zero character special file 1:5 666 0:0",
        "full character special file 1:7 666 0:0",
        "random character special file 1:8 666 0:0",
        "urandom character special file 1:9 666 0:0",
        "tty character special file 5:0 666 0:0",
        "",
      ].join("\n"),
    );
  });

  rootTest("links to its descriptors and to its own ptmx", async () => {
    const stdout = await print(
      "cd /dev; for l in fd stdin stdout stderr ptmx; do echo $l $(readlink $l); done",
    );
    expect(stdout).toBe(
      [
        "fd /proc/self/fd",
        "stdin /proc/self/fd/0",
        "stdout /proc/self/fd/1",
        "stderr /proc/self/fd/2",
        "ptmx pts/ptmx",
        "",
      ].join("\n"),
    );
  });

  rootTest("devices that work, whatever linux.resources.devices denies", async () => {
    const stdout = await print(
      "echo x > /dev/null; head -c 3 /dev/zero | od -An -tx1; head -c 4 /dev/urandom | wc -c; (echo x > /dev/full) 2>&1; cat /dev/null",
    );
    expect(stdout).toBe(" 00 00 00\n4\nsh: write error: No space left on device\n");
  });

  rootTest("no other device", async () => {
    const stdout = await print("find /dev -type b -o -type c | sort");
    const names = ["full", "null", "pts/ptmx", "random", "tty", "urandom", "zero"];
    expect(stdout).toBe(names.map((name) => `/dev/${name}\n`).join(""));
  });

  rootTest("a bind-mounted /dev is left as it is", async () => {
    const before = readdirSync("/dev").sort();
    const { status, stdout } = await box.run(
      shell("ls -1a /dev", (result) => {
        result.mounts = result.mounts.filter(({ destination }) => !destination.startsWith("/dev"));
        result.mounts.push({ destination: "/dev", source: "/dev", type: "bind", options: ["rbind"] });
      }),
    );
    expect(status).toBe(0);
    expect(stdout.trimEnd().split("\n").slice(2).sort()).toEqual(before);
    expect(readdirSync("/dev").sort()).toEqual(before);
  });
});

describe("linux.devices", () => {
  rootTest("are made with their type, numbers, mode and owner", async () => {
    const stdout = await print(
      "stat -c '%n %F %t:%T %a %u:%g' /dev/fuse /dev/deep/er/disk /outside /dev/pipe",
      withDevices(
        { type: "c", path: "/dev/fuse", major: 10, minor: 229, fileMode: 0o660, uid: 1, gid: 2 },
        { type: "b", path: "/dev/deep/er/disk", major: 259, minor: 300, fileMode: 0o600, uid: 0, gid: 0 },
        { type: "u", path: "/outside", major: 1, minor: 3, fileMode: 0o777, uid: 0, gid: 0 },
        { type: "p", path: "/dev/pipe", fileMode: 0o640, uid: 3, gid: 4 },
      ),
    );
    expect(stdout).toBe(
      [
        "/dev/fuse character special file a:e5 660 1:2",
        "/dev/deep/er/disk block special file 103:12c 600 0:0",
        "/outside character special file 1:3 777 0:0",
        "/dev/pipe fifo 0:0 640 3:4",
        "",
      ].join("\n"),
    );
  });

  rootTest("a mode is not cut by the caller's umask", async () => {
    const { stdout } = await box.run(
      shell(
        "stat -c %a /dev/fuse /dev/null",
        withDevices({ type: "c", path: "/dev/fuse", major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 }),
      ),
      { wrap: ["sh", "-c", 'umask 077; exec "$@"', "sh"] },
    );
    expect(stdout).toBe("666\n666\n");
  });

  peersDiffer({ runc: "1.1 keeps whatever is there", crun: "1.8 keeps whatever is there" })(
    "an existing file that does not match is an error that names it",
    async () => {
      const { status, stderr } = await box.run(
        config((result) => {
          result.mounts = result.mounts.filter(({ destination }) => !destination.startsWith("/dev"));
          withDevices({ type: "c", path: "/dev/fuse", major: 10, minor: 229 })(result);
        }),
        { prepare: (rootfs) => writeFileSync(join(rootfs, "dev/fuse"), "a file") },
      );
      expect(status).toBe(1);
      expect(stderr).toContain("/dev/fuse");
    },
  );

  peersDiffer({ crun: "1.8 takes it for a character device" })(
    "one of an unknown type is an error",
    async () => {
      const { status, stderr } = await box.run(
        config(withDevices({ type: "x", path: "/dev/x", major: 1, minor: 1 })),
      );
      expect(status).toBe(1);
      expect(stderr).not.toBe("");
    },
  );

  peersDiffer({
    runc: "it makes the device and then denies it",
    crun: "1.8 takes the mode and not the owner",
  })("a default device may be given with another owner or mode", async () => {
    const stdout = await print(
      "stat -c '%a %u:%g' /dev/null",
      withDevices({ type: "c", path: "/dev/null", major: 1, minor: 3, fileMode: 0o622, uid: 7, gid: 8 }),
    );
    expect(stdout).toBe("622 7:8\n");
  });
});

describe("a root file system that brings a /dev of its own, with no mount on it", () => {
  rootTest("gets the default devices and links", async () => {
    const { status, stdout } = await box.run(
      shell("stat -c '%n %F' /dev/null /dev/zero; readlink /dev/stdin; cat /dev/mine/file", (result) => {
        result.mounts = result.mounts.filter(({ destination }) => !destination.startsWith("/dev"));
      }),
      {
        prepare: (rootfs) => {
          mkdirSync(join(rootfs, "dev/mine"));
          writeFileSync(join(rootfs, "dev/mine/file"), readFileSync("/etc/hostname"));
        },
      },
    );
    expect(status).toBe(0);
    expect(stdout).toBe(
      `/dev/null character special file\n/dev/zero character special file\n/proc/self/fd/0\n${readFileSync("/etc/hostname", "utf8")}`,
    );
  });
});
