/** Control groups in the v1 and hybrid layouts: joined, limited, and gone with the container. */
import { afterAll, describe, expect } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { controllerRoot, findGroups, groupsOf, harmlessDevice, removeGroups } from "./support/cgroups.ts";
import { isAlive, until } from "./support/command.ts";
import {
  type Change,
  config,
  type DeviceRule,
  inherit,
  type Resources,
  shell,
  sleeper,
} from "./support/config.ts";
import { cgroups, isRoot, runtimeKind } from "./support/machine.ts";
import { oursOnly, peersDiffer, testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("cgroup-v1");
const parent = `bunc-test-${process.pid}`;

const v1Test = testIf(
  cgroups !== "v2" && runtimeKind !== "crun",
  cgroups === "v2" ? "this machine has cgroup2 alone" : "crun runs with its cgroup manager disabled here",
);

if (isRoot && cgroups !== "v2") afterAll(() => removeGroups(parent));

/** Puts the container into /bunc-test-PID/NAME, with these limits. */
const limited =
  (name: string, resources: Resources = {}): Change =>
  (result) => {
    result.linux.cgroupsPath = `/${parent}/${name}`;
    result.linux.resources = { ...result.linux.resources, ...resources };
  };

/** A file of the container's group in a controller. */
const read = (controller: string, name: string, file: string): string =>
  readFileSync(join(controllerRoot(controller) ?? "", parent, name, file), "utf8").trim();

const controllers = ["cpu", "cpuset", "memory", "devices", "freezer", "pids"].filter(
  (name) => controllerRoot(name) !== undefined,
);

describe("membership", () => {
  v1Test("init is in a group of every controller, and the groups go with the container", async () => {
    const container = await box.create(sleeper(limited("member")));
    const groups = groupsOf(container.pid);
    for (const controller of controllers) {
      const key = [...groups.keys()].find((names) => names.split(",").includes(controller)) ?? "";
      expect([controller, groups.get(key)]).toEqual([controller, `/${parent}/member`]);
      expect(read(controller, "member", "cgroup.procs").split("\n")).toContain(String(container.pid));
    }
    expect(findGroups("member").length).toBeGreaterThanOrEqual(controllers.length);
    await container.start();
    await container.delete("--force");
    expect(findGroups("member")).toEqual([]);
  });

  v1Test("run removes them too, and so does a create that fails", async () => {
    expect((await box.run(config(limited("brief")))).status).toBe(0);
    expect(findGroups("brief")).toEqual([]);
    const failing = config((result) => {
      limited("failed")(result);
      result.process.args = ["no-such-program"];
    });
    expect((await box.tryCreate(failing)).status).toBe(1);
    expect(findGroups("failed")).toEqual([]);
  });

  v1Test("without a cgroupsPath the container has groups of its own all the same", async () => {
    const container = await box.create(sleeper());
    const [own, theirs] = [groupsOf("self"), groupsOf(container.pid)];
    for (const controller of ["memory", "devices", "pids"].filter((name) => controllers.includes(name))) {
      expect(theirs.get(controller)).not.toBe(own.get(controller));
      expect(theirs.get(controller)).toContain(container.id);
    }
    await container.delete();
    expect(findGroups(container.id)).toEqual([]);
  });

  v1Test("a path with .. stays beneath the hierarchy's root", async () => {
    const id = box.id();
    const { status } = await box.run(
      config((result) => (result.linux.cgroupsPath = `/../../../../${parent}/${id}`)),
    );
    expect(existsSync(`/${parent}`)).toBe(false);
    expect(existsSync(`/sys/${parent}`)).toBe(false);
    if (status === 0) expect(findGroups(id)).toEqual([]);
  });

  v1Test("every process of a container with the caller's pid namespace is killed with it", async () => {
    const container = await box.create(
      shell("sleep 1000 & setsid sleep 1000 & wait", (result) => {
        limited("tree")(result);
        inherit(result, "pid");
      }),
    );
    await container.start();
    const pids = await until("three processes", () => {
      const list = read("pids", "tree", "cgroup.procs").split("\n").map(Number);
      return list.length >= 3 && list;
    });
    await container.delete("--force");
    await until("their end", () => !pids.some(isAlive));
    expect(findGroups("tree")).toEqual([]);
  });
});

describe("what bunc tells and keeps", () => {
  oursOnly("--debug says where the cgroups are", async () => {
    const { status, stderr } = await box.run(config(limited("told")), { globals: ["--debug"] });
    expect(status).toBe(0);
    expect(stderr).toContain(`/${parent}/told`);
  });

  oursOnly(
    "a damaged record of them is told in one line, and delete --force removes them all the same",
    async () => {
      const container = await box.create(sleeper(limited("damaged")));
      const path = join(box.state, container.id, "state.json");
      const record = JSON.parse(readFileSync(path, "utf8"));
      for (const cgroup of [{ kind: "v1", directories: [null] }, { kind: "v2" }, "/", undefined]) {
        writeFileSync(path, JSON.stringify({ ...record, cgroup }));
        for (const args of [
          ["kill", "--all", container.id],
          ["ps", container.id],
          ["delete", container.id],
        ]) {
          const { status, stderr } = await box.runtime(args);
          expect([status, stderr]).toEqual([1, expect.stringMatching(/^[^\n]*is damaged[^\n]*\n$/)]);
        }
      }
      expect(findGroups("damaged")).not.toEqual([]);
      expect((await box.runtime(["delete", "--force", container.id])).status).toBe(0);
      expect(findGroups("damaged")).toEqual([]);
    },
  );
});

describe("limits", () => {
  v1Test("memory", async () => {
    const memory = { limit: 64 << 20, reservation: 32 << 20 };
    const container = await box.create(sleeper(limited("memory", { memory })));
    expect(read("memory", "memory", "memory.limit_in_bytes")).toBe(String(64 << 20));
    expect(read("memory", "memory", "memory.soft_limit_in_bytes")).toBe(String(32 << 20));
    await container.delete();
  });

  v1Test("memory that is used up ends the program", async () => {
    const { status } = await box.run(
      // tail keeps the last line, and /dev/zero has no end of a line.
      config((result) => {
        limited("used-up", { memory: { limit: 16 << 20, swap: 16 << 20 } })(result);
        result.process.args = ["tail", "/dev/zero"];
      }),
    );
    expect(status).toBe(137);
  });

  v1Test("a limit of -1 is none", async () => {
    const container = await box.create(
      sleeper(limited("none", { memory: { limit: -1 }, pids: { limit: -1 } })),
    );
    expect(Number(read("memory", "none", "memory.limit_in_bytes"))).toBeGreaterThan(2 ** 50);
    expect(read("pids", "none", "pids.max")).toBe("max");
    await container.delete();
  });

  v1Test("cpu shares, quota and period", async () => {
    const container = await box.create(
      sleeper(limited("cpu", { cpu: { shares: 512, quota: 20_000, period: 50_000 } })),
    );
    expect(read("cpu", "cpu", "cpu.shares")).toBe("512");
    if (existsSync("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")) {
      expect(read("cpu", "cpu", "cpu.cfs_quota_us")).toBe("20000");
      expect(read("cpu", "cpu", "cpu.cfs_period_us")).toBe("50000");
    }
    await container.delete();
  });

  v1Test("cpus and memory nodes", async () => {
    const { stdout } = await box.run(shell("nproc", limited("cpuset", { cpu: { cpus: "0", mems: "0" } })));
    expect(stdout).toBe("1\n");
  });

  v1Test("processes", async () => {
    const { stdout } = await box.run(
      shell(
        "cat /dev/null; for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; echo all",
        limited("pids", { pids: { limit: 4 } }),
      ),
    );
    expect(stdout).not.toContain("all");
  });

  v1Test("one that the kernel refuses is an error that names it", async () => {
    const { status, stderr } = await box.run(config(limited("refused", { cpu: { cpus: "4000-5000" } })));
    expect(status).toBe(1);
    expect(stderr).toMatch(/cpus/);
    expect(findGroups("refused")).toEqual([]);
  });
});

describe("devices", () => {
  const rules =
    (...devices: DeviceRule[]): Change =>
    (result) => {
      result.linux.cgroupsPath = `/${parent}/devices`;
      result.linux.resources = { devices };
      const names = ["CAP_MKNOD", "CAP_DAC_OVERRIDE"];
      result.process.capabilities = { bounding: names, effective: names, permitted: names };
    };
  const denyAll: DeviceRule = { allow: false, access: "rwm" };
  const device = harmlessDevice() ?? { major: 10, minor: 229 };
  const open = `mknod /tmp/d c ${device.major} ${device.minor} && dd if=/tmp/d of=/dev/null count=0 && echo opened`;
  const openForWriting = "dd if=/dev/null of=/tmp/d count=0 conv=notrunc || echo not writable";
  const quietly = (script: string) => `(${script}) 2>&1; true`;

  v1Test("what buildah sends denies a device that is not of the defaults", async () => {
    const { stdout } = await box.run(shell(quietly(open), rules(denyAll)));
    // mknod of any device is allowed by the defaults that every runtime adds; opening is not.
    expect(stdout).toMatch(/not permitted/);
    expect(stdout).not.toContain("opened");
  });

  v1Test("a device that a rule allows can be opened", async () => {
    const allow = { allow: true, type: "c", ...device, access: "rwm" };
    const { stdout } = await box.run(shell(quietly(open), rules(denyAll, allow)));
    expect(stdout).toContain("opened");
  });

  v1Test("for reading only, when the rule says so", async () => {
    const allow = { allow: true, type: "c", ...device, access: "rm" };
    const script = `${open}; ${openForWriting}`;
    const { stdout } = await box.run(shell(quietly(script), rules(denyAll, allow)));
    expect(stdout).toContain("opened");
    expect(stdout).toContain("not writable");
  });

  v1Test("block devices of the machine cannot be read", async () => {
    const script = "mknod /tmp/b b 254 0; dd if=/tmp/b of=/dev/null bs=1 count=1 && echo opened";
    const { stdout } = await box.run(shell(quietly(script), rules(denyAll)));
    expect(stdout).toMatch(/not permitted/);
    expect(stdout).not.toContain("opened");
  });

  v1Test("later rules go before earlier ones", async () => {
    const allow = { allow: true, type: "c", ...device, access: "rwm" };
    const { stdout } = await box.run(shell(quietly(open), rules(denyAll, allow, { ...allow, allow: false })));
    expect(stdout).not.toContain("opened");
  });
});

describe("a mount of type cgroup", () => {
  const mounted =
    (...options: string[]): Change =>
    (result) => {
      limited("mounted")(result);
      result.mounts.push({ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options });
    };

  v1Test("shows the controllers, and in each the container's own group", async () => {
    const { stdout } = await box.run(
      shell(
        "ls /sys/fs/cgroup; cat /sys/fs/cgroup/pids/cgroup.procs",
        mounted("nosuid", "noexec", "nodev", "relatime", "ro"),
      ),
    );
    for (const controller of controllers) expect(stdout).toContain(controller);
    expect(stdout).toMatch(/^1$/m);
  });

  v1Test("read-only when asked", async () => {
    const { stdout } = await box.run(
      shell("echo 1 > /sys/fs/cgroup/pids/cgroup.procs || echo refused", mounted("ro")),
    );
    expect(stdout).toBe("refused\n");
  });

  v1Test("with a cgroup namespace, the group is the root of what it shows", async () => {
    const { stdout } = await box.run(
      shell("cat /proc/self/cgroup; cat /sys/fs/cgroup/pids/cgroup.procs", (result) => {
        mounted("ro")(result);
        result.linux.namespaces.push({ type: "cgroup" });
      }),
    );
    expect(stdout).toMatch(/:pids:\/$/m);
    expect(stdout).toMatch(/^1$/m);
  });
});

describe("a mount of type cgroup in a user namespace", () => {
  const write = "echo 1 > /sys/fs/cgroup/pids/cgroup.procs && echo written || echo refused";
  const mapped =
    (...namespaces: string[]): Change =>
    (result) => {
      limited("mapped")(result);
      for (const type of ["user", ...namespaces]) result.linux.namespaces.push({ type });
      // Root is root outside, too: only the mount can forbid it to write.
      result.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1000 }];
      result.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 1000 }];
      result.mounts.push({
        destination: "/sys/fs/cgroup",
        type: "cgroup",
        source: "cgroup",
        options: ["rw"],
      });
    };

  testIf(cgroups !== "v2" && runtimeKind === "bunc", "runc 1.1.5 lets it be written; version 1 alone")(
    "cannot be written without a cgroup namespace (CVE-2023-25809)",
    async () => {
      const { stdout, stderr } = await box.run(shell(write, mapped()));
      expect([stdout, stderr.includes("Read-only")]).toEqual(["refused\n", true]);
    },
  );

  v1Test("can be written with one", async () => {
    expect((await box.run(shell(write, mapped("cgroup")))).stdout).toBe("written\n");
  });
});

describe("--cgroup-manager=disabled", () => {
  peersDiffer({ runc: "it has no such option", crun: "every other test runs it so" })(
    "leaves the container in the caller's group",
    async () => {
      const container = await box.create(sleeper(), { globals: ["--cgroup-manager=disabled"] });
      expect([...groupsOf(container.pid)]).toEqual([...groupsOf("self")]);
      await container.delete();
    },
  );
});
