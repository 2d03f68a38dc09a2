/** Bind mounts and symbolic links: crun's options src-nofollow, dest-nofollow and copy-symlink. */
import { describe, expect } from "bun:test";
import { existsSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Change, config, type Mount, shell } from "./support/config.ts";
import { oursOnly, peersDiffer } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("mount-links");

const withMount =
  (mount: Mount): Change =>
  (result) =>
    void result.mounts.push(mount);

/** A file, and a link to it that means something else in the container. */
function source(): string {
  const path = box.directory("source");
  writeFileSync(join(path, "file"), "from the host\n");
  symlinkSync("/etc/passwd", join(path, "link"));
  return path;
}

const linkTest = peersDiffer({ runc: "it has no such options", crun: "1.8 has not, either" });

const bind = (destination: string, from: string, ...options: string[]): Mount => ({
  destination,
  source: from,
  type: "bind",
  options: ["bind", ...options],
});

describe("src-nofollow", () => {
  linkTest("mounts the link itself, which leads to a file of the container's", async () => {
    const mount = bind("/mnt", join(source(), "link"), "src-nofollow");
    const { stdout, stderr } = await box.run(shell("readlink /mnt; head -n 1 /mnt", withMount(mount)));
    expect([stdout, stderr]).toEqual(["/etc/passwd\nroot:x:0:0:root:/root:/bin/sh\n", ""]);
  });

  linkTest("changes nothing about a source that is no link", async () => {
    const mount = bind("/mnt", join(source(), "file"), "src-nofollow");
    expect((await box.run(shell("cat /mnt", withMount(mount)))).stdout).toBe("from the host\n");
  });
});

describe("dest-nofollow", () => {
  linkTest("covers a link of the image instead of the file that it leads to", async () => {
    const mount = bind("/etc/link", join(source(), "file"), "dest-nofollow");
    const { stdout } = await box.run(shell("cat /etc/link; head -n 1 /etc/passwd", withMount(mount)), {
      prepare: (rootfs) => symlinkSync("passwd", join(rootfs, "etc/link")),
    });
    expect(stdout).toBe("from the host\nroot:x:0:0:root:/root:/bin/sh\n");
  });

  linkTest("changes nothing about a target that is no link, or is missing", async () => {
    for (const target of ["/etc/passwd", "/etc/new"]) {
      const mount = bind(target, join(source(), "file"), "dest-nofollow");
      expect((await box.run(shell(`cat ${target}`, withMount(mount)))).stdout).toBe("from the host\n");
    }
  });

  linkTest("follows links on the way there, inside of the root", async () => {
    const mount = bind("/way/link", join(source(), "file"), "dest-nofollow");
    const { stdout } = await box.run(shell("cat /etc/link", withMount(mount)), {
      prepare: (rootfs) => {
        symlinkSync("/etc", join(rootfs, "way"));
        symlinkSync("/nowhere", join(rootfs, "etc/link"));
      },
    });
    expect(stdout).toBe("from the host\n");
  });
});

describe("copy-symlink", () => {
  linkTest("makes the same link in the container, and mounts nothing", async () => {
    const mount = bind("/a/b/copy", join(source(), "link"), "copy-symlink");
    const { path, rootfs } = box.bundle(
      shell("readlink /a/b/copy; grep -c copy /proc/self/mountinfo", withMount(mount)),
    );
    const first = await box.runtime(["run", "--bundle", path, box.id()]);
    expect(first.stdout).toBe("/etc/passwd\n0\n");
    expect(readlinkSync(join(rootfs, "a/b/copy"))).toBe("/etc/passwd");
    // The same link may be there.
    expect((await box.runtime(["run", "--bundle", path, box.id()])).stdout).toBe("/etc/passwd\n0\n");
  });

  linkTest("mounts a source that is no link", async () => {
    const mount = bind("/mnt", join(source(), "file"), "copy-symlink");
    expect((await box.run(shell("cat /mnt", withMount(mount)))).stdout).toBe("from the host\n");
  });

  const others: [string, (path: string) => void][] = [
    ["a link elsewhere", (path) => symlinkSync("/etc/passwx", path)],
    ["a longer link", (path) => symlinkSync("/etc/passwd/", path)],
    ["a file", (path) => writeFileSync(path, "")],
  ];
  for (const [what, make] of others) {
    oursOnly(`is refused where the image has ${what}`, async () => {
      const mount = bind("/copy", join(source(), "link"), "copy-symlink");
      const { status, stderr } = await box.run(config(withMount(mount)), {
        prepare: (rootfs) => make(join(rootfs, "copy")),
      });
      expect(status).toBe(1);
      expect(stderr).toMatch(/^[^\n]*mounts\[4\][^\n]*the image has[^\n]*\n$/);
    });
  }

  oursOnly("makes nothing outside of the root", async () => {
    const outside = box.directory("outside");
    const mount = bind("/way/copy", join(source(), "link"), "copy-symlink");
    await box.run(config(withMount(mount)), {
      prepare: (rootfs) => symlinkSync(outside, join(rootfs, "way")),
    });
    expect(existsSync(join(outside, "copy"))).toBe(false);
  });
});
