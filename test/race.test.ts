/**
 * Root file systems that change while the container is made: a directory and a link to the host change places all the
 * time. Whichever the runtime meets, nothing may be made or mounted on the host.
 */
import { describe, expect } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Finished, Running } from "./support/command.ts";
import { type Change, config, type Mount } from "./support/config.ts";
import { ConsoleSocket } from "./support/console.ts";
import { peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("race");
const rounds = 10;

interface Race {
  /** A file in the directory, and in the one on the host. */
  file?: string;
  /** Makes one container of the bundle. */
  make?: (bundle: string) => Promise<Finished>;
}

const run = (bundle: string): Promise<Finished> => box.runtime(["run", "--bundle", bundle, box.id()]);

/** Creates a container with a terminal, and removes it. */
async function createWithTerminal(bundle: string): Promise<Finished> {
  const socket = new ConsoleSocket(join(box.directory("console"), "socket"));
  const id = box.id();
  try {
    const created = await box.runtime(["create", "--bundle", bundle, "--console-socket", socket.path, id]);
    if (created.status === 0) {
      const console = await socket.accept();
      console.close();
      await box.runtime(["delete", "--force", id]);
    }
    return created;
  } finally {
    socket.close();
  }
}

/**
 * Makes containers while `path` in their root file system is exchanged with a link to a directory on the host; gives
 * what has appeared in that directory.
 */
async function race(
  path: string,
  change: Change,
  { file = "sub/file", make = run }: Race = {},
): Promise<string[]> {
  const target = box.directory("target");
  mkdirSync(join(target, dirname(file)), { recursive: true });
  writeFileSync(join(target, file), "");
  const { path: bundle, rootfs } = box.bundle(config(change));
  mkdirSync(join(rootfs, path, dirname(file)), { recursive: true });
  writeFileSync(join(rootfs, path, file), "");
  const link = join(dirname(join(rootfs, path)), "the-link");
  symlinkSync(target, link);
  const racer = new Running(
    [process.execPath, join(import.meta.dir, "support/swap.ts"), join(rootfs, path), link],
    {
      timeout: 120_000,
    },
  );
  try {
    for (let round = 0; round < rounds; round++) {
      const { status, stderr } = await make(bundle);
      // It may fail, as long as it says so.
      expect(status === 0 || stderr !== "").toBe(true);
    }
  } finally {
    racer.kill("SIGKILL");
    await racer.finished;
  }
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(target);
  expect(readFileSync(join(target, file), "utf8")).toBe("");
  return readdirSync(target, { recursive: true })
    .map(String)
    .filter((name) => !file.startsWith(name));
}

const mount =
  (entry: Mount): Change =>
  (result) =>
    void result.mounts.push(entry);

describe("an exchanged directory", () => {
  rootTest("as a mount's destination (CVE-2021-30465)", async () => {
    expect(await race("data", mount({ destination: "/data/sub", type: "tmpfs", source: "tmpfs" }))).toEqual(
      [],
    );
  });

  peersDiffer({ runc: "1.1.5 may lose this race", crun: "1.8.1 may lose this race" })(
    "on the way to a destination that must be made (CVE-2024-45310)",
    async () => {
      expect(
        await race("data", mount({ destination: "/data/a/b/c", type: "tmpfs", source: "tmpfs" })),
      ).toEqual([]);
    },
  );

  peersDiffer({ runc: "1.1.5 may lose this race", crun: "1.8.1 may lose this race" })(
    "on the way to a working directory that must be made",
    async () => {
      expect(await race("data", (result) => (result.process.cwd = "/data/x/y/z"))).toEqual([]);
    },
  );

  rootTest("on the way to a masked file", async () => {
    expect(await race("data", (result) => (result.linux.maskedPaths = ["/data/sub/file"]))).toEqual([]);
  });

  peersDiffer({ runc: "1.1.5 may lose this race", crun: "1.8.1 may lose this race" })(
    "as /dev, without a mount on it (CVE-2026-41579)",
    async () => {
      const withoutDev: Change = (result) => {
        result.mounts = result.mounts.filter(({ destination }) => !destination.startsWith("/dev"));
      };
      expect(await race("dev", withoutDev)).toEqual([]);
    },
  );

  rootTest("as /proc, where parameters are written (CVE-2019-19921, CVE-2025-52881)", async () => {
    const parameter: Change = (result) => {
      result.linux.sysctl = { "net.ipv4.ip_forward": "1" };
      // A container that is made has the value, whatever /proc was meanwhile.
      result.process.args = ["grep", "-qx", "1", "/proc/sys/net/ipv4/ip_forward"];
    };
    expect(await race("proc", parameter, { file: "sys/net/ipv4/ip_forward" })).toEqual([]);
  });

  peersDiffer({ runc: "1.1.5 loses this race", crun: "1.8.1 may lose this race" })(
    "as /dev, where the terminal is opened and bound (CVE-2025-52565)",
    async () => {
      const terminal: Change = (result) => {
        result.process.terminal = true;
        result.process.args = ["sleep", "1000"];
        result.mounts = result.mounts.filter(({ destination }) => destination !== "/dev");
      };
      expect(await race("dev", terminal, { file: "console", make: createWithTerminal })).toEqual([]);
    },
  );
});
