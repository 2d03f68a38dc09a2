/**
 * Control groups where /sys/fs/cgroup is cgroup2. On a machine with a hybrid layout its cgroup2 hierarchy is bound there,
 * in a private mount namespace: it has no controllers, but groups, membership and device programs are real.
 */

import { afterAll, beforeAll, describe, expect } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { semver } from "bun";
import { findGroups, groupsOf, harmlessDevice, removeGroups, unifiedRoot } from "./support/cgroups.ts";
import { isAlive, until } from "./support/command.ts";
import {
  type Change,
  type Config,
  config,
  type DeviceRule,
  inherit,
  shell,
  sleeper,
} from "./support/config.ts";
import { reap } from "./support/libc.ts";
import { cgroups, isRoot, runtimeKind } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { PrivateMounts, plainCgroup2 } from "./support/private-mounts.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("cgroup-v2");
const parent = `bunc-test-v2-${process.pid}`;
const available = isRoot && cgroups !== "v1";

const v2Test = testIf(
  available && runtimeKind !== "crun",
  available ? "crun runs with its cgroup manager disabled here" : "this machine has no cgroup2",
);

beforeAll(async () => {
  if (available && cgroups === "hybrid") box.useMounts(await PrivateMounts.make(plainCgroup2));
});
if (available) afterAll(() => removeGroups(parent));

const inGroup =
  (name: string): Change =>
  (result) => {
    result.linux.cgroupsPath = `/${parent}/${name}`;
  };

describe("membership", () => {
  v2Test("init is in the group of cgroupsPath, which goes with the container", async () => {
    const container = await box.create(sleeper(inGroup("member")));
    expect(groupsOf(container.pid).get("")).toBe(`/${parent}/member`);
    const procs = readFileSync(join(unifiedRoot, parent, "member/cgroup.procs"), "utf8");
    expect(procs.split("\n")).toContain(String(container.pid));
    await container.start();
    await container.delete("--force");
    expect(findGroups("member")).toEqual([]);
  });

  v2Test("without a cgroupsPath the container has a group of its own all the same", async () => {
    const container = await box.create(sleeper());
    expect(groupsOf(container.pid).get("")).toContain(container.id);
    expect(groupsOf(container.pid).get("")).not.toBe(groupsOf("self").get(""));
    await container.delete();
    expect(findGroups(container.id)).toEqual([]);
  });

  v2Test("run removes it, and so does a create that fails", async () => {
    expect((await box.run(config(inGroup("brief")))).status).toBe(0);
    expect(findGroups("brief")).toEqual([]);
    const failing = config((result) => {
      inGroup("failed")(result);
      result.process.args = ["no-such-program"];
    });
    expect((await box.tryCreate(failing)).status).toBe(1);
    expect(findGroups("failed")).toEqual([]);
  });

  v2Test("every process of a container with the caller's pid namespace is killed with it", async () => {
    const container = await box.create(
      shell("sleep 1000 & setsid sleep 1000 & wait", (result) => {
        inGroup("tree")(result);
        inherit(result, "pid");
      }),
    );
    await container.start();
    const file = join(unifiedRoot, parent, "tree/cgroup.procs");
    const pids = await until("three processes", () => {
      const list = readFileSync(file, "utf8").trim().split("\n").map(Number);
      return list.length >= 3 && list;
    });
    await container.delete("--force");
    await until("their end", () => !pids.some(isAlive));
  });
});

describe("from a group in which cgroup.kill was written", () => {
  // Linux 6.13 and later kill what is born from there into another group.
  const kills = semver.satisfies(release().split("-")[0] ?? "", ">=6.13.0");
  const caller = join(unifiedRoot, parent, "caller");
  const visible = cgroups === "hybrid" ? caller.replace(unifiedRoot, "/sys/fs/cgroup") : caller;
  const there = {
    globals: ["--debug"],
    wrap: ["sh", "-c", `echo 0 >${visible}/cgroup.procs && exec "$@"`, "sh"],
  };
  const trapTest: typeof v2Test =
    runtimeKind === "bunc" ? v2Test : testIf(false, "what a peer does there is its own affair");

  /** Its group is the root of what it sees. */
  const inside =
    (name: string): Change =>
    (result) => {
      inGroup(name)(result);
      result.linux.namespaces.push({ type: "cgroup" });
    };
  /** The debug log tells whether it happened. */
  const expectMoved = (stderr: string) => {
    if (kills)
      expect(stderr.split("\n").filter((line) => line.includes("moved there instead"))).toHaveLength(1);
  };
  const processesIn = (name: string) =>
    readFileSync(join(unifiedRoot, parent, name, "cgroup.procs"), "utf8")
      .trim()
      .split("\n")
      .map(Number);

  if (available) {
    beforeAll(() => {
      mkdirSync(caller, { recursive: true });
      writeFileSync(join(caller, "cgroup.kill"), "1");
    });
    afterAll(() => rmdirSync(caller));
  }

  trapTest("create makes a container in its group, and exec adds to it", async () => {
    const container = await box.create(sleeper(inside("child")), there);
    expectMoved(container.stderr);
    expect(processesIn("child")).toEqual([container.pid]);
    await container.start();
    const command = ["exec", container.id, "grep", "^0:", "/proc/self/cgroup"];
    const shown = await box.runtime(command, there);
    expect(shown).toMatchObject({ status: 0, stdout: "0::/\n" });
    expectMoved(shown.stderr);

    const file = join(container.bundle.path, "exec.pid");
    const nowhere = openSync("/dev/null", "w");
    const detached = ["exec", "--detach", "--pid-file", file, container.id, "sleep", "1000"];
    const { status } = await box.runtime(detached, { ...there, stdout: nowhere, stderr: nowhere });
    closeSync(nowhere);
    expect(status).toBe(0);
    const added = Number(readFileSync(file, "utf8"));
    expect(processesIn("child")).toEqual([container.pid, added]);
    process.kill(added, "SIGKILL");
    await until("its end", () => reap(added));
    await container.delete("--force");
    expect(findGroups("child")).toEqual([]);
  });

  trapTest("so does run, where maps are written and hooks run, once", async () => {
    const log = join(box.directory("hooks"), "log");
    const { status, stdout, stderr, id } = await box
      .running(
        shell("grep ^0: /proc/self/cgroup; id -u", (result) => {
          inside("mapped")(result);
          result.linux.namespaces.push({ type: "user" });
          result.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
          result.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
          result.hooks = {};
          for (const name of ["prestart", "createRuntime", "poststop"] as const)
            result.hooks[name] = [{ path: "/bin/sh", args: ["sh", "-c", `echo ${name} >>${log}`] }];
        }),
        there,
      )
      .then(async (running) => ({ ...(await running.finished), id: running.id }));
    expect({ status, stdout }).toEqual({ status: 0, stdout: "0::/\n0\n" });
    expectMoved(stderr);
    expect(readFileSync(log, "utf8")).toBe("prestart\ncreateRuntime\npoststop\n");
    expect(existsSync(join(box.state, id))).toBe(false);
    expect(findGroups("mapped")).toEqual([]);
  });

  trapTest("one that cannot be made leaves nothing, and says why", async () => {
    const pidFile = join(box.directory("pid"), "pid");
    const failing = config((result) => {
      inside("failing")(result);
      result.process.args = ["no-such-program"];
    });
    const { status, stderr, id } = await box.tryCreate(failing, { ...there, flags: ["--pid-file", pidFile] });
    expect(status).toBe(1);
    expectMoved(stderr);
    expect(stderr).toMatch(/^bunc: exec: "no-such-program"[^\n]*$/m);
    expect(existsSync(pidFile)).toBe(false);
    expect(existsSync(join(box.state, id))).toBe(false);
    expect(findGroups("failing")).toEqual([]);
    expect(processesIn("caller")).toEqual([0]);
  });
});

describe("the container's view", () => {
  const mounted: Change = (result) => {
    inGroup("view")(result);
    result.linux.namespaces.push({ type: "cgroup" });
    result.mounts.push({ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"] });
  };

  v2Test("with a cgroup namespace its group is the root", async () => {
    const { status, stdout } = await box.run(
      shell(
        "grep ^0: /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs; stat -f -c %t /sys/fs/cgroup",
        mounted,
      ),
    );
    expect(status).toBe(0);
    // The shell, and the reader it starts; then the file system's magic number.
    expect(stdout).toMatch(/^0::\/\n1\n(\d+\n)*63677270\n$/);
  });

  v2Test("read-only when asked", async () => {
    const { stdout } = await box.run(shell("mkdir /sys/fs/cgroup/x 2>/dev/null || echo refused", mounted));
    expect(stdout).toBe("refused\n");
  });
});

describe("ownership", () => {
  /** Of the container's cgroup, and of its files that may be given away and may not. */
  const owners = async (change: Change): Promise<number[]> => {
    const container = await box.create(
      sleeper((result) => {
        inGroup("owned")(result);
        result.process.user = { uid: 1234, gid: 1234 };
        result.linux.namespaces.push({ type: "cgroup" });
        change(result);
      }),
    );
    const directory = join(unifiedRoot, parent, "owned");
    const files = ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads", "cgroup.max.depth"];
    const found = files.map((file) => statSync(join(directory, file)).uid);
    await container.delete("--force");
    return found;
  };
  const mount =
    (...options: string[]): Change =>
    (result) => {
      result.mounts.push({ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options });
    };

  // The specification (since 1.1.0) lets a runtime do it; runc does with the systemd manager alone.
  const ownerTest =
    available && runtimeKind === "runc"
      ? testIf(false, "runc gives cgroups away under the systemd manager alone")
      : v2Test;

  ownerTest("a cgroup that the container can write to belongs to its user, but not its limits", async () => {
    expect(await owners(mount("nosuid"))).toEqual([1234, 1234, 1234, 1234, 0]);
  });

  v2Test("one that it sees read-only, or not at all, stays the caller's", async () => {
    expect(await owners(mount("ro"))).toEqual([0, 0, 0, 0, 0]);
    expect(await owners(() => {})).toEqual([0, 0, 0, 0, 0]);
  });

  ownerTest("in a user namespace it is the user whom the maps make of it", async () => {
    const mapped = (result: Config) => {
      mount("nosuid")(result);
      result.process.user = { uid: 5, gid: 5 };
      result.linux.namespaces.push({ type: "user" });
      result.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
      result.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
    };
    expect((await owners(mapped))[0]).toBe(100_005);
  });
});

describe("a cgroup that is divided", () => {
  const controllers = available
    ? readFileSync(join(unifiedRoot, "cgroup.controllers"), "utf8").trim().split(" ").filter(Boolean)
    : [];
  const [controller = ""] = controllers;

  testIf(
    available && controller !== "" && runtimeKind !== "crun",
    "no controllers in cgroup2, or crun, which runs without cgroups here",
  )("exec enters the one that init has moved into", async () => {
    const container = await box.create(
      shell(
        `mkdir /sys/fs/cgroup/inner && echo 1 > /sys/fs/cgroup/inner/cgroup.procs && echo +${controller} > /sys/fs/cgroup/cgroup.subtree_control && touch /tmp/divided && exec sleep 1000`,
        (result) => {
          inGroup("divided")(result);
          result.linux.namespaces.push({ type: "cgroup" });
          result.mounts.push({
            destination: "/sys/fs/cgroup",
            type: "cgroup",
            source: "cgroup",
            options: [],
          });
        },
      ),
    );
    await container.start();
    const control = join(unifiedRoot, parent, "divided/cgroup.subtree_control");
    await until("the division", () => readFileSync(control, "utf8").trim() !== "");
    const shown = await box.runtime(["exec", container.id, "grep", "^0:", "/proc/self/cgroup"]);
    expect(shown).toMatchObject({ status: 0, stdout: "0::/inner\n", stderr: "" });
    await container.delete("--force");
    expect(existsSync(join(unifiedRoot, parent, "divided"))).toBe(false);
  });
});

describe("threaded cgroups", () => {
  /** One beneath the parent, of that type. */
  const threaded = (name: string): string => {
    const directory = join(unifiedRoot, parent, name);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "cgroup.type"), "threaded");
    return directory;
  };

  const threadedTest =
    available && runtimeKind === "runc"
      ? testIf(false, "runc runs a container in one, where no limit of memory could be kept")
      : v2Test;

  threadedTest("take no container, nor do those beneath them; the error says so", async () => {
    const directory = threaded("threaded/one");
    for (const path of ["threaded/one", "threaded/one/below"]) {
      const { status, stderr } = await box.run(config(inGroup(path)));
      expect(status).toBe(1);
      expect(stderr).toMatch(/^[^\n]*cgroup[^\n]*threaded[^\n]*\n$/);
    }
    expect(existsSync(join(directory, "below"))).toBe(false);
    rmdirSync(directory);
    rmdirSync(join(unifiedRoot, parent, "threaded"));
  });
});

describe("devices", () => {
  const rules =
    (...devices: DeviceRule[]): Change =>
    (result) => {
      inGroup("devices")(result);
      result.linux.resources = { devices };
      const names = ["CAP_MKNOD", "CAP_DAC_OVERRIDE"];
      result.process.capabilities = { bounding: names, effective: names, permitted: names };
    };
  const denyAll: DeviceRule = { allow: false, access: "rwm" };
  const device = harmlessDevice() ?? { major: 10, minor: 229 };
  const quietly = (script: string) => `(${script}) 2>&1; true`;
  const open = `mknod /tmp/d c ${device.major} ${device.minor} && dd if=/tmp/d of=/dev/null count=0 && echo opened`;
  const openForWriting = "dd if=/dev/null of=/tmp/d count=0 conv=notrunc || echo not writable";

  v2Test("what buildah sends denies a device that is not of the defaults, and no default", async () => {
    const { stdout } = await box.run(shell(`head -c 1 /dev/zero | wc -c; ${quietly(open)}`, rules(denyAll)));
    expect(stdout).toMatch(/^1\n/);
    expect(stdout).toMatch(/not permitted/);
    expect(stdout).not.toContain("opened");
  });

  v2Test("a device that a rule allows can be opened", async () => {
    const allow = { allow: true, type: "c", ...device, access: "rwm" };
    expect((await box.run(shell(quietly(open), rules(denyAll, allow)))).stdout).toContain("opened");
  });

  v2Test("for reading only, when the rule says so", async () => {
    const allow = { allow: true, type: "c", ...device, access: "rm" };
    const script = `${open}; ${openForWriting}`;
    const { stdout } = await box.run(shell(quietly(script), rules(denyAll, allow)));
    expect(stdout).toContain("opened");
    expect(stdout).toContain("not writable");
  });

  v2Test("every device, when a rule allows them all", async () => {
    const { stdout } = await box.run(shell(quietly(open), rules({ allow: true, access: "rwm" })));
    expect(stdout).toContain("opened");
  });

  v2Test("a block device of the machine cannot be read", async () => {
    const script = "mknod /tmp/b b 254 0; dd if=/tmp/b of=/dev/null bs=1 count=1 && echo opened";
    const { stdout } = await box.run(shell(quietly(script), rules(denyAll)));
    expect(stdout).not.toContain("opened");
  });
});

describe("limits", () => {
  const controllers = available
    ? readFileSync(join(unifiedRoot, "cgroup.controllers"), "utf8").trim().split(" ")
    : [];

  testIf(
    available && controllers.includes("memory") && runtimeKind !== "crun",
    "no memory controller in cgroup2",
  )("memory and processes", async () => {
    const container = await box.create(
      sleeper((result) => {
        inGroup("limits")(result);
        result.linux.resources = { memory: { limit: 64 << 20 }, pids: { limit: 50 } };
      }),
    );
    const directory = join(unifiedRoot, parent, "limits");
    expect(readFileSync(join(directory, "memory.max"), "utf8").trim()).toBe(String(64 << 20));
    expect(readFileSync(join(directory, "pids.max"), "utf8").trim()).toBe("50");
    await container.delete();
  });

  testIf(
    available && !controllers.includes("memory") && runtimeKind !== "crun",
    "cgroup2 has its controllers",
  )("one whose controller is missing is an error that names it, and leaves no group", async () => {
    const { status, stderr } = await box.run(
      config((result) => {
        inGroup("impossible")(result);
        result.linux.resources = { memory: { limit: 64 << 20 } };
      }),
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/memory/);
    expect(existsSync(join(unifiedRoot, parent, "impossible"))).toBe(false);
  });
});
