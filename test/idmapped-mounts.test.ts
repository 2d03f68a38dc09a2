/** Id-mapped mounts: `uidMappings` and `gidMappings` of a mount, the options idmap and ridmap. */
import { describe, expect } from "bun:test";
import { chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Change, config, type IdMapping, type Mount, shell, sleeper } from "./support/config.ts";
import { runtimeKind } from "./support/machine.ts";
import { oursOnly, peersDiffer } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("idmapped");

const base = 100_000;
const size = 65_536;

interface MappedMount extends Mount {
  uidMappings?: IdMapping[];
  gidMappings?: IdMapping[];
}

/** A user namespace of 65,536 ids from 100,000. */
const mapped =
  (...mounts: MappedMount[]): Change =>
  (result) => {
    result.linux.namespaces.push({ type: "user" });
    result.linux.uidMappings = [{ containerID: 0, hostID: base, size }];
    result.linux.gidMappings = [{ containerID: 0, hostID: base, size }];
    result.mounts.push(...mounts);
  };

const plain =
  (...mounts: MappedMount[]): Change =>
  (result) =>
    void result.mounts.push(...mounts);

const giveAway = (rootfs: string) => void Bun.spawnSync(["chown", "-R", "-h", `${base}:${base}`, rootfs]);

/** Files of the ids 0 and 1000, and a directory to mount on. */
function source(): string {
  const path = box.directory("source");
  for (const id of [0, 1000]) {
    writeFileSync(join(path, `of-${id}`), "");
    chownSync(join(path, `of-${id}`), id, id);
  }
  mkdirSync(join(path, "inner"));
  return path;
}

const owners = "cd /mnt && stat -c '%n %u:%g' of-0 of-1000";

const idmapTest = peersDiffer({ runc: "1.1 has none" });

describe("in a user namespace", () => {
  idmapTest("idmap shows the files with the ids that they have on the machine", async () => {
    const mount = { destination: "/mnt", source: source(), type: "bind", options: ["bind", "idmap"] };
    const { status, stdout, stderr } = await box.run(shell(owners, mapped(mount)), { prepare: giveAway });
    expect([status, stdout, stderr]).toEqual([0, "of-0 0:0\nof-1000 1000:1000\n", ""]);
  });

  idmapTest("and what is made there belongs to the same id on the machine", async () => {
    const path = source();
    const mount = { destination: "/mnt", source: path, type: "bind", options: ["bind", "idmap"] };
    const script = "cd /mnt && touch new && chown 1000:1000 of-0";
    expect((await box.run(shell(script, mapped(mount)), { prepare: giveAway })).status).toBe(0);
    const owner = (name: string) => [statSync(join(path, name)).uid, statSync(join(path, name)).gid];
    expect([owner("new"), owner("of-0")]).toEqual([
      [0, 0],
      [1000, 1000],
    ]);
  });

  idmapTest("without it they are nobody's", async () => {
    const mount = { destination: "/mnt", source: source(), type: "bind", options: ["bind"] };
    const { stdout } = await box.run(shell(owners, mapped(mount)), { prepare: giveAway });
    expect(stdout).toBe("of-0 65534:65534\nof-1000 65534:65534\n");
  });

  oursOnly("of another container, which is joined, the maps are that one's", async () => {
    const first = await box.create(sleeper(mapped()), { prepare: giveAway });
    await first.start();
    const mount = { destination: "/mnt", source: source(), type: "bind", options: ["bind", "idmap"] };
    const joining = shell(owners, (result) => {
      result.linux.namespaces.push({ type: "user", path: `/proc/${first.pid}/ns/user` });
      result.mounts.push(mount);
    });
    const { stdout, stderr } = await box.run(joining, { prepare: giveAway });
    expect([stdout, stderr]).toEqual(["of-0 0:0\nof-1000 1000:1000\n", ""]);
    await first.delete("--force");
  });
});

describe("maps of the mount's own", () => {
  const mappings: IdMapping[] = [
    { containerID: 0, hostID: base + 5, size: 1 },
    { containerID: 1000, hostID: base + 6, size: 10 },
  ];
  const both = { uidMappings: mappings, gidMappings: mappings };

  idmapTest("in a user namespace", async () => {
    const options = ["bind", "idmap"];
    const mount = { destination: "/mnt", source: source(), type: "bind", options, ...both };
    const { stdout, stderr } = await box.run(shell(owners, mapped(mount)), { prepare: giveAway });
    expect([stdout, stderr]).toEqual(["of-0 5:5\nof-1000 6:6\n", ""]);
  });

  idmapTest("in the caller's user namespace, the option left out", async () => {
    const mount = { destination: "/mnt", source: source(), type: "bind", options: ["bind"], ...both };
    const { stdout, stderr } = await box.run(shell(owners, plain(mount)));
    expect([stdout, stderr]).toEqual([`of-0 ${base + 5}:${base + 5}\nof-1000 ${base + 6}:${base + 6}\n`, ""]);
  });

  idmapTest("in crun's form of the option", async () => {
    const maps = `uids=0-${base + 1}-1#1000-${base + 2}-1;gids=0-${base + 3}-1#1000-${base + 4}-1`;
    const options = ["bind", `idmap=${maps}`];
    const mount = { destination: "/mnt", source: source(), type: "bind", options };
    const { stdout, stderr } = await box.run(shell(owners, mapped(mount)), { prepare: giveAway });
    expect([stdout, stderr]).toEqual(["of-0 1:3\nof-1000 2:4\n", ""]);
  });

  idmapTest("in that form relative to the container's user namespace", async () => {
    const options = ["bind", "idmap=uids=@0-1-1#@1000-2-1;gids=@0-3-1#@1000-4-1"];
    const mount = { destination: "/mnt", source: source(), type: "bind", options };
    const { stdout, stderr } = await box.run(shell(owners, mapped(mount)), { prepare: giveAway });
    expect([stdout, stderr]).toEqual(["of-0 1:3\nof-1000 2:4\n", ""]);
  });
});

describe("what is mounted beneath", () => {
  const wrapOf = (path: string) => {
    const script = `mount -t tmpfs inner ${path}/inner && touch ${path}/inner/file && exec "$@"`;
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"];
  };
  for (const [option, owner] of [
    ["idmap", 65534],
    ["ridmap", 0],
  ] as const) {
    const define = peersDiffer({
      runc: "1.1 has none",
      crun: "1.8 takes one file system, and has no ridmap",
    });
    define(`${option} ${owner === 0 ? "maps it, too" : "leaves it"}`, async () => {
      const path = source();
      const mount = { destination: "/mnt", source: path, type: "bind", options: ["rbind", option] };
      const script = "stat -c %u /mnt/of-0 /mnt/inner/file";
      const { stdout, stderr } = await box.run(shell(script, mapped(mount)), {
        prepare: giveAway,
        wrap: wrapOf(path),
      });
      expect([stdout, stderr]).toEqual([`0\n${owner}\n`, ""]);
    });
  }
});

describe("refused, with nothing left behind", () => {
  oursOnly("a file system that has none, by its name and its path", async () => {
    const mount = { destination: "/mnt", source: "/proc/sys", type: "bind", options: ["bind", "idmap"] };
    const before = new Set(readdirSync("/proc").filter((name) => /^\d+$/.test(name)));
    const { status, stderr } = await box.run(config(mapped(mount)), { prepare: giveAway });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^[^\n]*mounts\[4\]\.options\[1\][^\n]*\/proc\/sys[^\n]*\bproc\b[^\n]*EINVAL[^\n]*\n$/,
    );
    const mappers = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && !before.has(name));
    expect(mappers.filter((pid) => isMapper(pid))).toEqual([]);
  });

  oursOnly("maps that the caller may not give", async () => {
    // Root of this user namespace has the id 0 alone.
    const far: IdMapping[] = [{ containerID: 0, hostID: 1_000_000, size: 1 }];
    const mount = {
      destination: "/mnt",
      source: "/tmp",
      options: ["bind"],
      uidMappings: far,
      gidMappings: far,
    };
    const wrap = ["unshare", "--map-root-user", "--mount", "--"];
    const { status, stderr } = await box.run(config(plain(mount)), { wrap });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^[^\n]*mounts\[4\]\.uidMappings[^\n]*\n$/);
  });

  oursOnly("root of a user namespace, for a file system of the machine's", async () => {
    const near: IdMapping[] = [{ containerID: 0, hostID: 0, size: 1 }];
    const mount = {
      destination: "/mnt",
      source: "/tmp",
      options: ["bind"],
      uidMappings: near,
      gidMappings: near,
    };
    const wrap = ["unshare", "--map-root-user", "--mount", "--"];
    const { status, stderr } = await box.run(config(plain(mount)), { wrap });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^[^\n]*mounts\[4\]\.uidMappings[^\n]*EPERM[^\n]*machine's root[^\n]*\n$/);
  });
});

function isMapper(pid: string): boolean {
  const { stdout } = Bun.spawnSync(["cat", `/proc/${pid}/cmdline`]);
  return stdout.toString().startsWith(`${runtimeKind}: id map`);
}
