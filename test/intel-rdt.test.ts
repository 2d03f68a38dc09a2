/**
 * Classes of service of Intel RDT, in a file system that behaves as resctrl does: see support/resctrl.ts. A mount's type
 * cannot be made up, so the runtime is shown a /proc/self/mountinfo in which this one is of type resctrl.
 */
import { afterAll, beforeAll, beforeEach, describe, expect } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Change, config, sleeper } from "./support/config.ts";
import { isRoot } from "./support/machine.ts";
import { oursOnly, peersDiffer, testIf } from "./support/peers.ts";
import { PrivateMounts } from "./support/private-mounts.ts";
import { FakeResctrl } from "./support/resctrl.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("intel-rdt");
const usable = isRoot && existsSync("/dev/fuse");
const mountpoint = join(box.path, "resctrl");
const shown = join(box.path, "mountinfo");

// Peers look for the processor's own flags in /proc/cpuinfo, or for the mount at one place.
const rdtTest = usable
  ? peersDiffer({
      runc: "it looks for Intel RDT in /proc/cpuinfo",
      crun: "it looks at /sys/fs/resctrl alone",
    })
  : testIf(false, "no /dev/fuse");

let served: FakeResctrl | undefined;

beforeAll(async () => {
  if (!usable) return;
  const mounts = await PrivateMounts.make(`mkdir ${mountpoint}`);
  box.useMounts(mounts);
  served = await FakeResctrl.mount(mountpoint, mounts.enter("/"));
  const mountinfo = readFileSync(`/proc/${mounts.pid}/mountinfo`, "utf8");
  writeFileSync(shown, mountinfo.replace(/ - fuse resctrl /, " - resctrl resctrl "));
});

afterAll(() => served?.close());

const tree = () => {
  if (!served) throw new Error("nothing is served");
  return served.tree;
};

beforeEach(() => {
  if (usable) for (const name of [...tree().classes.keys()]) tree().rmdir(`/${name}`);
});

/** The runtime sees the file instead of its own mountinfo: its process keeps its number when it is executed. */
const wrap = ["sh", "-c", 'mount --bind "$0" /proc/$$/mountinfo && exec "$@"', shown];

const inClass =
  (intelRdt: Record<string, unknown>): Change =>
  (result) =>
    Object.assign(result.linux, { intelRdt });

const schemata = (name: string): Record<string, string> =>
  Object.fromEntries(tree().group(name)?.schemata ?? []);

describe("a class of the container's own", () => {
  rdtTest(
    "is made with its schemata, holds init and what exec adds, and goes with the container",
    async () => {
      const asked = { l3CacheSchema: "L3:0=ff;1=f0", memBwSchema: "MB:0=50", schemata: ["L3:1=3"] };
      const container = await box.create(sleeper(inClass(asked)), { wrap });
      expect(schemata(container.id)).toEqual({ "L3:0": "ff", "L3:1": "3", "MB:0": "50", "MB:1": "100" });
      const { tasks } = tree().group(container.id) ?? {};
      expect([...(tasks ?? [])]).toEqual([container.pid]);
      await container.start();
      expect((await box.runtime(["exec", container.id, "true"])).status).toBe(0);
      expect(tasks?.size).toBe(2);
      await container.delete("--force");
      expect([...tree().classes.keys()]).toEqual([]);
    },
  );

  rdtTest("goes when run has ended, and when create fails", async () => {
    expect((await box.run(config(inClass({})), { wrap })).status).toBe(0);
    const failing = config((result) => {
      inClass({ schemata: ["L3:0=f5"] })(result);
    });
    const { status, stderr } = await box.tryCreate(failing, { wrap });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^[^\n]*linux\.intelRdt\.schemata could not be set[^\n]*the kernel says: The mask f5 has non-consecutive 1-bits[^\n]*\n$/,
    );
    expect([...tree().classes.keys()]).toEqual([]);
  });

  rdtTest("goes with delete --force, too, when the record of the container is lost", async () => {
    const container = await box.create(sleeper(inClass({ enableMonitoring: true })), { wrap });
    expect(tree().group(container.id)?.monitors.size).toBe(1);
    rmSync(join(box.state, container.id, "state.json"));
    expect((await box.runtime(["delete", "--force", container.id])).status).toBe(0);
    expect([...tree().classes.keys()]).toEqual([]);
  });

  rdtTest("that there is none left of is an error that says so", async () => {
    for (const name of ["a", "b", "c"]) tree().mkdir(`/${name}`);
    const { status, stderr } = await box.run(config(inClass({ l3CacheSchema: "L3:0=f" })), { wrap });
    expect(status).toBe(1);
    expect(stderr).toContain("the kernel says: Out of CLOSIDs");
  });
});

describe("closID", () => {
  rdtTest("of a class that is there: the container is put into it, and it stays", async () => {
    tree().mkdir("/gold");
    const container = await box.create(sleeper(inClass({ closID: "gold" })), { wrap });
    expect([...(tree().group("gold")?.tasks ?? [])]).toEqual([container.pid]);
    await container.delete("--force");
    expect([...tree().classes.keys()]).toEqual(["gold"]);
  });

  rdtTest(
    "of one that is not there: an error, unless a schema makes it; then it stays while others are in it",
    async () => {
      const bare = await box.run(config(inClass({ closID: "gold" })), { wrap });
      expect([bare.status, bare.stderr]).toEqual([
        1,
        expect.stringContaining("linux.intelRdt.closID names a class that is not there"),
      ]);
      const asked = inClass({ closID: "gold", l3CacheSchema: "L3:0=f" });
      const first = await box.create(sleeper(asked), { wrap });
      const second = await box.create(sleeper(asked), { wrap });
      expect(schemata("gold")["L3:0"]).toBe("f");
      await first.delete("--force");
      expect([...(tree().group("gold")?.tasks ?? [])].filter((pid) => pid === second.pid)).toEqual([
        second.pid,
      ]);
      await second.delete("--force");
    },
  );

  rdtTest("of one whose schemata do not agree is an error, and it is not changed", async () => {
    tree().mkdir("/gold");
    const asked = inClass({ closID: "gold", l3CacheSchema: "L3:0=f" });
    const { status, stderr } = await box.run(config(asked), { wrap });
    expect(status).toBe(1);
    expect(stderr).toContain("linux.intelRdt.l3CacheSchema does not agree with");
    expect(stderr).toContain("L3:0 is fffff, not f");
    expect(schemata("gold")["L3:0"]).toBe("fffff");
    const agreed = inClass({ closID: "gold", l3CacheSchema: "L3:0=FFFFF" });
    expect((await box.run(config(agreed), { wrap })).status).toBe(0);
  });
});

describe("enableMonitoring", () => {
  rdtTest("makes a group of the container's own in its class, the default one too", async () => {
    const asked = { closID: "/", enableMonitoring: true };
    const container = await box.create(sleeper(inClass(asked)), { wrap });
    expect([...(tree().root.monitors.get(container.id) ?? [])]).toEqual([container.pid]);
    await container.delete("--force");
    expect(tree().root.monitors.size).toBe(0);
  });
});

describe("without resctrl", () => {
  oursOnly("linux.intelRdt is an error", async () => {
    const { status, stderr } = await box.run(config(inClass({})));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^[^\n]*linux\.intelRdt needs the resctrl file system[^\n]+\n$/);
  });
});
