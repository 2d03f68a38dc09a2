/** Every option of a mount that the specification names, by what it does: on a new file system, and on a bind mount. */
import { describe, expect } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Change, type Mount, shell } from "./support/config.ts";
import { type Mounted, parseMount } from "./support/mountinfo.ts";
import { type Differences, oursOnly, peersDiffer } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("mount-options");

/** What /proc/self/mountinfo shows of a mount, in one list: its attributes, its propagation, its file system's flags. */
const wordsOf = ({ options, propagation, superOptions }: Mounted): string[] => [
  ...options,
  ...propagation.map((each) => each.split(":")[0] ?? ""),
  ...superOptions.map((each) => `fs:${each}`),
];

async function look(mounts: Mount[], at: string, wrap: string[] = []): Promise<string[]> {
  const change: Change = (result) => void result.mounts.push(...mounts);
  const { status, stdout, stderr } = await box.run(shell("cat /proc/self/mountinfo", change), { wrap });
  expect([status, stderr]).toEqual([0, ""]);
  const found = stdout
    .trimEnd()
    .split("\n")
    .map(parseMount)
    .findLast(({ target }) => target === at);
  if (!found) throw new Error(`nothing is mounted on ${at}: ${stdout}`);
  return wordsOf(found);
}

interface Row {
  readonly options: readonly string[];
  readonly has?: readonly string[];
  readonly lacks?: readonly string[];
  readonly peers?: Differences;
  /** A flag of the file system, which a bind mount has none of. */
  readonly filesystem?: boolean;
}

const addsUp = { crun: "1.8 adds up flags" };
const unknown = { crun: "1.8 does not know it" };
const isPrivate = { crun: "1.8 makes every mount private in the end" };
const einval = { crun: "1.8 gets EINVAL from the kernel, for it sets an access time and clears none" };

const atimes = ["noatime", "relatime"];

const rows: readonly Row[] = [
  { options: ["ro"], has: ["ro"] },
  { options: ["ro", "rw"], has: ["rw"], lacks: ["ro"], peers: addsUp },
  { options: ["nosuid"], has: ["nosuid"] },
  { options: ["nosuid", "suid"], lacks: ["nosuid"], peers: addsUp },
  { options: ["nodev"], has: ["nodev"] },
  { options: ["nodev", "dev"], lacks: ["nodev"], peers: addsUp },
  { options: ["noexec"], has: ["noexec"] },
  { options: ["noexec", "exec"], lacks: ["noexec"], peers: addsUp },
  { options: ["nosymfollow"], has: ["nosymfollow"], peers: unknown },
  { options: ["nosymfollow", "symfollow"], lacks: ["nosymfollow"], peers: unknown },
  { options: ["noatime"], has: ["noatime"], lacks: ["relatime"] },
  { options: ["noatime", "atime"], has: ["relatime"], lacks: ["noatime"], peers: addsUp },
  { options: ["relatime"], has: ["relatime"] },
  {
    options: ["noatime", "relatime"],
    has: ["relatime"],
    lacks: ["noatime"],
    peers: { ...addsUp, runc: "1.1 as well" },
  },
  { options: ["norelatime"], has: ["relatime"] },
  { options: ["strictatime"], lacks: atimes },
  { options: ["strictatime", "nostrictatime"], has: ["relatime"], peers: addsUp },
  { options: ["nodiratime"], has: ["nodiratime"] },
  { options: ["nodiratime", "diratime"], lacks: ["nodiratime"], peers: addsUp },
  { options: ["nodiratime", "noatime"], has: ["nodiratime", "noatime"] },
  { options: ["sync"], has: ["fs:sync"], filesystem: true },
  { options: ["sync", "async"], lacks: ["fs:sync"], filesystem: true, peers: addsUp },
  { options: ["dirsync"], has: ["fs:dirsync"], filesystem: true },
  { options: ["lazytime"], has: ["fs:lazytime"], filesystem: true },
  { options: ["lazytime", "nolazytime"], lacks: ["fs:lazytime"], filesystem: true },
  { options: ["mand", "nomand"], lacks: ["fs:mand"], filesystem: true, peers: addsUp },
  // The kernel shows nothing of these: they are taken, and mean nothing else.
  { options: ["iversion"], has: ["rw"], filesystem: true, peers: unknown },
  { options: ["iversion", "noiversion"], has: ["rw"], filesystem: true, peers: unknown },
  { options: ["silent", "size=64k"], has: ["fs:size=64k"], filesystem: true, peers: unknown },
  { options: ["silent", "loud"], has: ["rw"], filesystem: true, peers: unknown },
  { options: ["dirsync", "silent"], has: ["fs:dirsync"], filesystem: true, peers: unknown },
  { options: ["shared"], has: ["shared"], peers: isPrivate },
  { options: ["slave"], lacks: ["shared"] },
  { options: ["shared", "slave"], lacks: ["shared"], peers: isPrivate },
  { options: ["shared", "private"], lacks: ["shared"], peers: isPrivate },
  { options: ["unbindable"], has: ["unbindable"], peers: isPrivate },
  { options: ["rshared"], has: ["shared"], peers: isPrivate },
  { options: ["rslave"], lacks: ["shared"] },
  { options: ["rprivate"], lacks: ["shared"] },
  { options: ["runbindable"], has: ["unbindable"], peers: isPrivate },
];

function checkWords(words: readonly string[], { has = [], lacks = [] }: Row): void {
  expect(words).toEqual(expect.arrayContaining([...has]));
  expect(words.filter((word) => lacks.includes(word))).toEqual([]);
}

describe("a new file system", () => {
  for (const row of rows) {
    peersDiffer(row.peers ?? {})(row.options.join(","), async () => {
      const mount = { destination: "/t", type: "tmpfs", source: "tmpfs", options: [...row.options] };
      checkWords(await look([mount], "/t"), row);
    });
  }
});

describe("a bind mount", () => {
  for (const row of rows.filter(({ filesystem }) => !filesystem)) {
    peersDiffer(row.peers ?? {})(row.options.join(","), async () => {
      const mount = {
        destination: "/b",
        source: box.directory("b"),
        type: "bind",
        options: ["bind", ...row.options],
      };
      checkWords(await look([mount], "/b"), row);
    });
  }

  oursOnly("has no flags of a file system: that is told, and the container runs", async () => {
    const change: Change = (result) => {
      const options = ["bind", "sync", "async", "size=1k"];
      result.mounts.push({ destination: "/b", source: box.directory("b"), type: "bind", options });
    };
    const { status, stdout, stderr } = await box.run(shell("echo ran", change));
    expect([status, stdout]).toEqual([0, "ran\n"]);
    expect(stderr).toMatch(
      /mounts\[4\]\.options: "sync" has no effect.*\n.*mounts\[4\]\.options: "size=1k" has no effect/,
    );
  });
});

/** Recursive ones: what is mounted beneath the source gets, or loses, an attribute. */
const recursive: readonly [option: string, before: string, row: Omit<Row, "options">][] = [
  ["rro", "rw", { has: ["ro"] }],
  ["rrw", "ro", { has: ["rw"], lacks: ["ro"] }],
  ["rnosuid", "suid", { has: ["nosuid"] }],
  ["rsuid", "nosuid", { lacks: ["nosuid"] }],
  ["rnodev", "dev", { has: ["nodev"] }],
  ["rdev", "nodev", { lacks: ["nodev"] }],
  ["rnoexec", "exec", { has: ["noexec"] }],
  ["rexec", "noexec", { lacks: ["noexec"] }],
  ["rnodiratime", "diratime", { has: ["nodiratime"], peers: einval }],
  ["rdiratime", "nodiratime", { lacks: ["nodiratime"], peers: einval }],
  ["rnoatime", "relatime", { has: ["noatime"], peers: einval }],
  ["ratime", "noatime", { has: ["relatime"], lacks: ["noatime"], peers: { ...einval, runc: "1.1 as well" } }],
  ["rrelatime", "noatime", { has: ["relatime"], lacks: ["noatime"], peers: einval }],
  [
    "rnorelatime",
    "relatime",
    { has: ["relatime"], peers: { runc: "1.1 makes it strict", crun: "1.8 does" } },
  ],
  ["rstrictatime", "noatime", { lacks: atimes, peers: einval }],
  [
    "rnostrictatime",
    "strictatime",
    { has: ["relatime"], peers: { runc: "1.1 leaves it", crun: "1.8 does" } },
  ],
  ["rnosymfollow", "rw", { has: ["nosymfollow"], peers: unknown }],
  ["rsymfollow", "nosymfollow", { lacks: ["nosymfollow"], peers: unknown }],
  ["rshared", "rw", { has: ["shared"], peers: isPrivate }],
  ["runbindable", "rw", { has: ["unbindable"], peers: isPrivate }],
];

describe("what is mounted beneath", () => {
  for (const [option, before, row] of recursive) {
    const options = ["rbind", option];
    peersDiffer(row.peers ?? {})(`${before} becomes ${option}`, async () => {
      const source = box.directory("tree");
      mkdirSync(join(source, "inner"));
      const script = `mount -t tmpfs -o ${before} inner ${source}/inner && exec "$@"`;
      const wrap = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"];
      const mount = { destination: "/b", source, type: "bind", options };
      checkWords(await look([mount], "/b/inner", wrap), { ...row, options });
    });
  }
});

describe("a mount that is there already", () => {
  const tmpfs = { destination: "/t", type: "tmpfs", source: "tmpfs", options: ["nosuid", "size=1m"] };

  oursOnly("remount with bind changes its attributes", async () => {
    const words = await look(
      [tmpfs, { destination: "/t", options: ["bind", "remount", "ro"], source: "/t" }],
      "/t",
    );
    expect(words).toEqual(expect.arrayContaining(["ro", "nosuid", "fs:size=1024k"]));
  });

  oursOnly("remount changes its file system, and leaves the attributes that it does not name", async () => {
    const words = await look([tmpfs, { destination: "/t", options: ["remount", "size=2m", "noexec"] }], "/t");
    expect(words).toEqual(expect.arrayContaining(["rw", "nosuid", "noexec", "fs:size=2048k"]));
  });

  oursOnly("propagation alone", async () => {
    const words = await look([tmpfs, { destination: "/t", options: ["shared"] }], "/t");
    expect(words).toEqual(expect.arrayContaining(["shared", "nosuid"]));
  });
});

describe("a mount of cgroups", () => {
  for (const namespaced of [true, false]) {
    oursOnly(
      `has attributes and propagation ${namespaced ? "in" : "without"} a cgroup namespace`,
      async () => {
        const options = ["nosuid", "noexec", "nodev", "noatime", "ro", "rnodiratime", "rshared"];
        const change: Change = (result) => {
          if (namespaced) result.linux.namespaces.push({ type: "cgroup" });
          result.mounts.push({ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options });
        };
        const { stdout, stderr } = await box.run(shell("cat /proc/self/mountinfo", change));
        expect(stderr).toBe("");
        const mounts = stdout.trimEnd().split("\n").map(parseMount);
        const groups = mounts.filter(({ target }) => target.startsWith("/sys/fs/cgroup"));
        expect(groups.length).toBeGreaterThan(0);
        const wanted = ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "shared"];
        for (const group of groups) expect(wordsOf(group)).toEqual(expect.arrayContaining(wanted));
      },
    );
  }
});

oursOnly("no option that is known is left out here", async () => {
  const { stdout } = await box.runtime(["features"]);
  const elsewhere = [
    "idmap",
    "ridmap",
    "tmpcopyup",
    "copy-symlink",
    "src-nofollow",
    "dest-nofollow",
    "defaults",
  ];
  const tested = [
    ...elsewhere,
    ...["bind", "rbind", "remount"],
    ...rows.flatMap(({ options }) => options),
    ...recursive.map(([option]) => option),
  ];
  const { mountOptions } = JSON.parse(stdout) as { mountOptions: string[] };
  expect(mountOptions.filter((option) => !tested.includes(option))).toEqual([]);
});
