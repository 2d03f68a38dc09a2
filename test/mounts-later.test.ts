/** mounts add and mounts remove: a container that runs gets a volume, and loses it again. */
import { describe, expect } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Finished } from "./support/command.ts";
import { type Change, config, inherit, type Mount, sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { peersDiffer } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("mounts-later");
const mountsTest = peersDiffer({ runc: "it has no such command", crun: "crun has it since 1.23" });

async function start(change: Change = () => {}, prepare?: (rootfs: string) => void): Promise<Container> {
  const container = await box.create(sleeper(change), prepare === undefined ? {} : { prepare });
  await container.start();
  return container;
}

/** A directory of the host with one file in it. */
function volume(): string {
  const path = box.directory("volume");
  chmodSync(path, 0o755);
  writeFileSync(join(path, "file"), "of the host\n");
  return path;
}

function mounts(action: string, container: Container, entries: unknown): Promise<Finished> {
  const stdin = typeof entries === "string" ? entries : JSON.stringify(entries);
  return box.runtime(["mounts", action, container.id, "-"], { stdin });
}

async function add(container: Container, ...entries: Mount[]): Promise<void> {
  expect(await mounts("add", container, entries)).toMatchObject({ status: 0, stdout: "", stderr: "" });
}

const inside = async (container: Container, script: string): Promise<string> =>
  (await box.runtime(["exec", container.id, "sh", "-c", script])).stdout;

const mountinfo = (container: Container) => readFileSync(`/proc/${container.pid}/mountinfo`, "utf8");

describe("add", () => {
  mountsTest("a directory of the host, at a place that is made", async () => {
    const container = await start();
    const source = volume();
    await add(container, { destination: "/data/here", source, options: ["rbind", "ro", "nosuid"] });
    const script = "cat /data/here/file; echo x 2>/dev/null > /data/here/new || echo refused";
    expect(await inside(container, script)).toBe("of the host\nrefused\n");
    const line = mountinfo(container)
      .split("\n")
      .find((each) => each.includes(" /data/here "));
    expect(line).toMatch(/ ro,nosuid/);
    // Nothing that is mounted there later passes from the one to the other.
    expect(line).not.toContain("shared:");
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain("/data/here");
  });

  mountsTest("a file, and a tmpfs, by a file of mounts", async () => {
    const container = await start();
    const file = join(box.directory("list"), "mounts.json");
    writeFileSync(
      file,
      JSON.stringify([
        { destination: "/etc/added", source: join(volume(), "file"), type: "bind" },
        { destination: "/tmp/memory", type: "tmpfs", source: "tmpfs", options: ["size=64k", "mode=700"] },
      ]),
    );
    expect((await box.runtime(["mounts", "add", container.id, file])).status).toBe(0);
    expect(await inside(container, "cat /etc/added; stat -c %a /tmp/memory; stat -f -c %T /tmp/memory")).toBe(
      "of the host\n700\ntmpfs\n",
    );
  });

  mountsTest("a container that waits for start", async () => {
    const container = await box.create(
      config((result) => {
        result.process.args = ["cat", "/data/file"];
      }),
    );
    await add(container, { destination: "/data", source: volume(), options: ["bind"] });
    expect((await container.finish()).stdout).toBe("of the host\n");
  });

  mountsTest(
    "with a user namespace: what the caller sees, and a file system of the container's own",
    async () => {
      const container = await start(
        (result) => {
          result.linux.namespaces.push({ type: "user" });
          result.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 5000 }];
          result.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 5000 }];
        },
        (rootfs) => {
          for (const name of ["data", "memory"]) mkdirSync(join(rootfs, name));
        },
      );
      await add(
        container,
        { destination: "/data", source: volume(), options: ["bind"] },
        { destination: "/memory", type: "tmpfs" },
      );
      expect(
        await inside(container, "cat /data/file; stat -c %u /memory; echo > /memory/x && ls /memory"),
      ).toBe("of the host\n0\nx\n");
    },
  );

  mountsTest("a link of the image leads nowhere else", async () => {
    const container = await start(undefined, (rootfs) =>
      symlinkSync("/../../../../tmp/inner", join(rootfs, "way")),
    );
    mkdirSync(join(container.bundle.rootfs, "tmp/inner"), { recursive: true });
    await add(container, { destination: "/way", source: volume(), options: ["bind"] });
    expect(mountinfo(container)).toMatch(/ \/tmp\/inner /);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain("/tmp/inner ");
  });

  mountsTest("all or nothing", async () => {
    const container = await start();
    const { status, stderr } = await mounts("add", container, [
      { destination: "/one", source: volume(), options: ["bind"] },
      { destination: "/two", type: "tmpfs", options: ["no-such-option"] },
    ]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("mounts[1]")]);
    expect(mountinfo(container)).not.toContain(" /one ");
  });

  mountsTest("what cannot be added is named", async () => {
    const container = await start();
    const cases: [unknown, string][] = [
      [[{ destination: "/p", type: "proc" }], "mounts[0].type is proc"],
      [[{ destination: "/c", type: "cgroup2" }], "mounts[0].type is cgroup2"],
      [[{ destination: "/b", options: ["bind"] }], "mounts[0].source is missing"],
      [[{ destination: "/b", source: "/no/such/thing", options: ["bind"] }], "mounts[0].source"],
      [[{ source: "/tmp" }], "mounts[0].destination is missing"],
      [{}, "mounts is"],
      ["{", "line 1"],
    ];
    for (const [entries, words] of cases) {
      const { status, stderr } = await mounts("add", container, entries);
      expect([status, stderr]).toEqual([1, expect.stringContaining(words)]);
    }
  });

  mountsTest("a container without mounts of its own, one that has ended, one that is not there", async () => {
    const entries = [{ destination: "/data", source: "/tmp", options: ["bind"] }];
    const shared = await start((result) => {
      inherit(result, "mount");
      result.mounts = [];
    });
    expect((await mounts("add", shared, entries)).stderr).toContain("no mount namespace of its own");
    const ended = await box.create(config());
    await ended.start();
    await ended.exit();
    expect((await mounts("add", ended, entries)).stderr).toContain("container not running");
    await ended.delete();
    expect((await mounts("add", ended, entries)).stderr).toContain("does not exist");
    expect((await mounts("ad", ended, entries)).stderr).toContain("did you mean add?");
  });
});

describe("remove", () => {
  mountsTest("by its destination", async () => {
    const container = await start();
    await add(container, { destination: "/data", source: volume(), options: ["bind"] });
    await add(container, { destination: "/etc/added", source: join(volume(), "file"), options: ["bind"] });
    const gone = await mounts("remove", container, [
      { destination: "/data/" },
      { destination: "/etc/added" },
    ]);
    expect(gone).toMatchObject({ status: 0, stderr: "" });
    expect(mountinfo(container)).not.toMatch(/ \/data | \/etc\/added /);
    expect(await inside(container, "ls /data; cat /etc/added")).toBe("");
    const again = await mounts("remove", container, [{ destination: "/data" }]);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining("mounts[0].destination")]);
  });

  mountsTest("no link chooses which mount goes", async () => {
    const container = await start(
      (result) => {
        result.linux.maskedPaths = ["/proc/filesystems"];
      },
      (rootfs) => symlinkSync("/proc", join(rootfs, "data")),
    );
    const { status } = await mounts("remove", container, [{ destination: "/data/filesystems" }]);
    expect(status).toBe(1);
    expect(mountinfo(container)).toContain(" /proc/filesystems ");
    expect((await mounts("remove", container, [{ destination: "/" }])).status).toBe(1);
  });
});
