/**
 * Cgroups in virtual machines: one with version 2 alone and every controller, one with version 1 and the controllers that
 * the machine around lacks. Each is booted once; its steps run before the tests, which look at what was said.
 */
import { beforeAll, describe, expect, setDefaultTimeout } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Change, type Config, config, type Resources, shell, sleeper } from "./support/config.ts";
import { isRoot, runtimePath } from "./support/machine.ts";
import { type Differences, peersDiffer, testIf } from "./support/peers.ts";
import { copyBusybox, makeRootfs } from "./support/rootfs.ts";
import { boot, fetchKernel, makeMachine, noEmulator } from "./support/virtual-machine.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("vm-cgroups");
/** Booting takes ten seconds where nothing else runs, and minutes where much does. */
setDefaultTimeout(600_000);

const usable = isRoot && noEmulator === "";
const vmTest = testIf(usable, noEmulator);
const vmDiffer = (reasons: Differences) => (usable ? peersDiffer(reasons) : vmTest);

let fetched: Promise<string> | undefined;
const kernel = (): Promise<string> => {
  fetched ??= fetchKernel(box.directory("kernel"));
  return fetched;
};

/** What a step has said, both streams together. */
interface Said {
  readonly status: number;
  readonly output: string;
}

const hierarchies = {
  v2: "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
  v1: `mount -t tmpfs tmpfs /sys/fs/cgroup
for each in cpu,cpuacct cpuset memory devices freezer blkio pids hugetlb rdma net_cls,net_prio; do
  mkdir /sys/fs/cgroup/$each && mount -t cgroup -o $each cgroup /sys/fs/cgroup/$each
done
mkdir /sys/fs/cgroup/systemd && mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd`,
};

/**
 * Boots a machine with a disk, runs shell scripts in it, and gives what they said by their names.
 * @param bundles config.json of the bundles /b/NAME
 */
async function runInMachine(
  layout: keyof typeof hierarchies,
  bundles: Readonly<Record<string, Config>>,
  steps: Readonly<Record<string, string>>,
): Promise<Record<string, Said>> {
  const root = box.directory("machine");
  await makeMachine(root);
  mkdirSync(join(root, "b"));
  for (const name of ["new", "etc"]) mkdirSync(join(root, name));
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0::/:/bin/sh\nsomebody:x:1000:1000::/tmp:/bin/sh\n");
  makeRootfs(join(root, "b/rootfs"), copyBusybox(join(root, "b")));
  for (const [name, config] of Object.entries(bundles)) {
    mkdirSync(join(root, "b", name));
    writeFileSync(
      join(root, "b", name, "config.json"),
      JSON.stringify({ ...config, root: { path: "/b/rootfs" } }),
    );
  }
  const parts = Object.keys(steps).map(
    (name, index) =>
      `echo; echo "== ${name}"; sh /step-${index} 2>&1 </dev/null; status=$?; echo; echo "status $status"`,
  );
  for (const [index, script] of Object.values(steps).entries())
    writeFileSync(join(root, `step-${index}`), script);
  writeFileSync(join(root, "steps"), `${hierarchies[layout]}\nifconfig lo up\n${parts.join("\n")}\n`);
  const disk = join(box.path, `${layout}.disk`);
  writeFileSync(disk, new Uint8Array(1 << 20));
  // pivot_root(2) needs a root that can be left, and the machine's first file system cannot: a clone of it can. It is moved
  // to where the root is, for who has only changed root may not make user namespaces.
  const said = await boot(
    await kernel(),
    root,
    "",
    "mount --rbind / /new; cd /new; mount --move . /; chroot . sh /steps",
    [...["-drive", `if=none,id=disk,format=raw,file=${disk}`], ...["-device", "nvme,drive=disk,serial=1"]],
  );
  return Object.fromEntries(
    [...said].map(([name, text]) => {
      const [, output = "", status] = /^([\s\S]*?)\n*status (\d+)\n*$/.exec(text) ?? [];
      return [name, { status: Number(status), output }];
    }),
  );
}

const runtime = basename(runtimePath);
const run = (bundle: string) => `${runtime} run --bundle /b/${bundle} ${bundle}`;
const create = (bundle: string) =>
  `${runtime} create --bundle /b/${bundle} ${bundle} >/tmp/${bundle} 2>&1 || { cat /tmp/${bundle}; exit 1; }`;
const remove = (name: string) => `${runtime} delete --force ${name}`;

/** FILE=VALUE of each file; of several lines, the last. */
const show = (...files: string[]) =>
  `for each in ${files.join(" ")}; do echo "$each=$(tail -n 1 $each)"; done`;

const limited =
  (resources: Resources, path?: string): Change =>
  (result) => {
    result.linux.resources = { ...result.linux.resources, ...resources };
    if (path) result.linux.cgroupsPath = path;
  };

/** The same for a plain user. */
const delegated =
  (resources: Resources): Change =>
  (result) => {
    result.linux.resources = resources;
    result.linux.namespaces.push({ type: "user" });
    result.linux.uidMappings = [{ containerID: 0, hostID: 1000, size: 1 }];
    result.linux.gidMappings = [{ containerID: 0, hostID: 1000, size: 1 }];
    for (const mount of result.mounts)
      mount.options = mount.options?.filter((option) => option !== "gid=5") ?? [];
  };

/** From a cgroup of the user's, as systemd gives one to each session. */
const asUser = (bundle: string): string =>
  `echo $$ > /sys/fs/cgroup/user/session/cgroup.procs; su somebody -c '${runtime} --root /tmp/state run --bundle /b/${bundle} ${bundle}'`;

const megabytes = (count: number): number => count << 20;

describe("version 2", () => {
  const bundles: Record<string, Config> = {
    limits: sleeper(
      limited(
        {
          memory: { limit: megabytes(64), reservation: megabytes(32), swap: megabytes(96) },
          cpu: { quota: 20_000, period: 50_000, cpus: "0", mems: "0" },
          pids: { limit: 50 },
          hugepageLimits: [{ pageSize: "2MB", limit: megabytes(4) }],
          blockIO: {
            throttleReadBpsDevice: [{ major: 259, minor: 0, rate: 1_000_000 }],
            throttleWriteIOPSDevice: [{ major: 259, minor: 0, rate: 100 }],
          },
          unified: { "memory.high": String(megabytes(60)), "cgroup.max.depth": "5" },
        },
        "/outer/limits",
      ),
    ),
    weights: sleeper(limited({ cpu: { shares: 1024, idle: 0 }, blockIO: { weight: 500 } }, "/weights")),
    default: shell("grep ^0: /proc/self/cgroup", limited({ pids: { limit: 20 } })),
    memory: config((result) => {
      limited({ memory: { limit: megabytes(16), swap: megabytes(16) } }, "/memory")(result);
      result.process.args = ["tail", "/dev/zero"];
    }),
    pids: shell(
      "for i in 1 2 3 4 5 6; do sleep 1 & done; echo all",
      limited({ pids: { limit: 3 } }, "/pids"),
    ),
    checked: shell(
      "head -c 20000000 /dev/zero > /dev/shm/data; echo filled > /tmp/filled; sleep 1000",
      (result) => {
        limited({ memory: { limit: megabytes(100), checkBeforeUpdate: true } }, "/checked")(result);
        result.mounts.push({ destination: "/dev/shm", type: "tmpfs", source: "shm", options: [] });
        result.mounts.push({ destination: "/tmp", type: "bind", source: "/tmp", options: ["bind"] });
      },
    ),
    events: shell(
      "until [ -e /tmp/go ]; do sleep 0.1; done; dd if=/dev/zero of=/dev/null bs=100M count=1; sleep 1000",
      (result) => {
        limited(
          { memory: { limit: megabytes(16), swap: megabytes(16) }, pids: { limit: 20 } },
          "/events",
        )(result);
        result.mounts.push({ destination: "/tmp", type: "bind", source: "/tmp", options: ["bind"] });
      },
    ),
    delegated: shell(
      "grep ^0: /proc/self/cgroup",
      delegated({ pids: { limit: 20 }, memory: { limit: megabytes(64) } }),
    ),
    undelegated: shell("true", delegated({ cpu: { quota: 20_000 } })),
    swappiness: config(limited({ memory: { swappiness: 10 } }, "/refused")),
    rdma: config(limited({ rdma: { mlx5_1: { hcaHandles: 3 } } }, "/refused")),
    absent: config(limited({ unified: { "nonsense.max": "1" } }, "/refused")),
    disk: config(
      limited({ blockIO: { throttleReadBpsDevice: [{ major: 4000, minor: 0, rate: 1 }] } }, "/refused"),
    ),
  };

  const files =
    `memory.max memory.low memory.swap.max cpu.max cpuset.cpus cpuset.mems pids.max hugetlb.2MB.max
    io.max memory.high cgroup.max.depth`.split(/\s+/);

  const steps = {
    limits: `${create("limits")}; cd /sys/fs/cgroup/outer/limits; ${show(...files)}; cat /sys/fs/cgroup/outer/cgroup.subtree_control`,
    rsvd: "cat /sys/fs/cgroup/outer/limits/hugetlb.2MB.rsvd.max",
    update: `${runtime} update --memory ${megabytes(48)} --memory-swap ${megabytes(58)} --cpu-quota 30000 --pids-limit 40 limits
      cd /sys/fs/cgroup/outer/limits; ${show("memory.max", "memory.swap.max", "cpu.max", "pids.max")}`,
    removed: `${remove("limits")}; ls -d /sys/fs/cgroup/outer/limits`,
    weights: `${create("weights")}; cd /sys/fs/cgroup/weights; ${show("cpu.weight", "io.weight")}; ${remove("weights")}`,
    default: run("default"),
    memory: run("memory"),
    pids: run("pids"),
    checked: `${create("checked")}; ${runtime} start checked; until [ -s /tmp/filled ]; do sleep 0.1; done
      ${runtime} update --memory ${megabytes(10)} checked; echo "status $?"; cat /sys/fs/cgroup/checked/memory.max; ${runtime} state checked | grep status; ${remove("checked")}`,
    // It watches once it has begun to tell; what is waited for comes, or the machine's time ends.
    events: `${create("events")}; ${runtime} start events; ${runtime} events --stats events >/dev/null || exit 1
      ${runtime} events --interval 300ms events > /tmp/told 2>/tmp/complaint &
      until grep -qs '"stats"' /tmp/told; do sleep 0.1; done; touch /tmp/go
      until grep -qs '"oom"' /tmp/told; do sleep 0.1; done
      ${runtime} events --stats events; ${runtime} kill events KILL; wait $!; echo "ended $?"; cat /tmp/complaint`,
    oom: "grep oom /tmp/told",
    paused: `${create("weights")}; ${runtime} start weights; ${runtime} pause weights
      cat /sys/fs/cgroup/weights/cgroup.freeze; ${runtime} state weights | grep status
      ${runtime} resume weights; cat /sys/fs/cgroup/weights/cgroup.freeze; ${remove("weights")}; ${remove("events")}`,
    delegation: `mkdir -p /sys/fs/cgroup/user/session /tmp/state && cd /sys/fs/cgroup && rmdir outer && echo +pids +memory -cpu > cgroup.subtree_control
      chown 1000:1000 /tmp/state user user/session user/cgroup.procs user/cgroup.subtree_control user/session/cgroup.procs`,
    delegated: asUser("delegated"),
    undelegated: asUser("undelegated"),
    swappiness: run("swappiness"),
    rdma: run("rdma"),
    absent: run("absent"),
    disk: run("disk"),
    left: "ls -d /sys/fs/cgroup/*/ | grep -v -e /outer/ -e /user/",
  };

  let said: Record<string, Said> = {};
  beforeAll(async () => {
    if (usable) said = await runInMachine("v2", bundles, steps);
  });

  vmTest("every limit is written, and its controllers are on from the top", () => {
    expect(said.limits?.output.split("\n")).toEqual([
      `memory.max=${megabytes(64)}`,
      `memory.low=${megabytes(32)}`,
      `memory.swap.max=${megabytes(32)}`,
      "cpu.max=20000 50000",
      "cpuset.cpus=0",
      "cpuset.mems=0",
      "pids.max=50",
      `hugetlb.2MB.max=${megabytes(4)}`,
      "io.max=259:0 rbps=1000000 wbps=max riops=max wiops=100",
      `memory.high=${megabytes(60)}`,
      "cgroup.max.depth=5",
      expect.stringMatching(/^(?=.*cpuset)(?=.*cpu )(?=.*io)(?=.*memory)(?=.*hugetlb)(?=.*pids)/),
    ]);
  });

  vmDiffer({ runc: "1.1 limits what is used alone", crun: "1.8 limits what is used alone" })(
    "huge pages that are reserved are limited, too",
    () => expect(said.rsvd?.output).toBe(String(megabytes(4))),
  );

  vmDiffer({ crun: "it sets the period anew when it is given the quota" })(
    "update changes what it names, and no more",
    () => {
      expect(said.update).toEqual({
        status: 0,
        output: `memory.max=${megabytes(48)}\nmemory.swap.max=${megabytes(10)}\ncpu.max=30000 50000\npids.max=40`,
      });
    },
  );

  vmTest("the cgroup goes with the container", () => {
    expect(said.removed?.output).toMatch(/No such file/);
  });

  vmDiffer({ runc: "1.1 makes 39 of the default shares", crun: "1.8 makes 39 of the default shares" })(
    "the default shares are the default weight; the weight of disks becomes io.weight's",
    () => expect(said.weights).toEqual({ status: 0, output: "cpu.weight=100\nio.weight=default 4950" }),
  );

  vmTest("without a path the container has a cgroup of its own", () => {
    expect(said.default).toEqual({ status: 0, output: expect.stringMatching(/^0::\/.*default/) });
  });

  vmTest("memory that is used up ends the program, a limit of processes its children", () => {
    expect(said.memory?.status).toBe(137);
    expect(said.pids?.output).not.toContain("all");
  });

  const eventful = vmDiffer({ crun: "it has no such command" });

  eventful("events counts in the terms of version 1, and tells of a lack of memory", () => {
    const [line = "", ended = "", ...more] = said.events?.output.split("\n") ?? [];
    const { type, id, data } = JSON.parse(line);
    expect([type, id, ended, more]).toEqual(["stats", "events", "ended 0", []]);
    expect(Object.keys(data)).toEqual([
      ...["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces"],
    ]);
    expect(data.pids).toMatchObject({ limit: 20 });
    expect(data.memory.usage.limit).toBe(megabytes(16));
    // With memory, as version 1 counts it.
    expect(data.memory.swap.limit).toBe(megabytes(16));
    expect(data.memory.swap.usage).toBeGreaterThanOrEqual(data.memory.usage.usage);
    expect(data.memory.raw.anon).toBeGreaterThan(0);
    expect(data.memory.kernel).toEqual({ limit: 0, failcnt: 0 });
    expect(data.cpu.usage.total).toBeGreaterThan(0);
    expect(Object.keys(data.hugetlb)).toContain("2MB");
    expect(data.cpuset).toMatchObject({ cpu_exclusive: 0, sched_relax_domain_level: 0 });
    expect(JSON.parse(said.oom?.output.split("\n")[0] ?? "")).toEqual({ type: "oom", id: "events" });
  });

  vmTest("pause freezes, and resume thaws", () => {
    expect(said.paused?.output.replace(/\s*"status": "(\w+)",?/, "\n$1")).toBe("1\npaused\n0");
  });

  vmDiffer({ runc: "1.1 does not know the property", crun: "1.8 does not look" })(
    "a limit below what is used is refused when config.json says so, and nobody is killed",
    () => {
      const lines = said.checked?.output.split("\n") ?? [];
      expect(lines[0]).toMatch(/linux\.resources\.memory\.limit is \d+, and the container uses \d+ already/);
      expect(lines.slice(1, 3)).toEqual(["status 1", String(megabytes(100))]);
      expect(lines[3]).toContain("running");
    },
  );

  vmDiffer({ runc: "it wants systemd for a user's cgroups", crun: "it wants systemd for a user's cgroups" })(
    "a user's container has limits where cgroups are delegated, beside the user's own",
    () => {
      expect(said.delegated).toEqual({ status: 0, output: "0::/user/bunc-delegated" });
      expect(said.undelegated?.status).toBe(1);
      expect(said.undelegated?.output).toMatch(
        /^[^\n]*linux\.resources\.cpu\.quota needs the cpu controller[^\n]*$/,
      );
    },
  );

  const own = vmDiffer({
    runc: "it ignores some, and names others otherwise",
    crun: "it names them otherwise",
  });

  own("what cannot be kept is refused by name", () => {
    const told = (name: string) => {
      expect(said[name]?.status).toBe(1);
      return said[name]?.output ?? "";
    };
    expect(told("swappiness")).toContain("linux.resources.memory.swappiness has no counterpart in cgroup v2");
    expect(told("rdma")).toMatch(
      /linux\.resources\.rdma\.mlx5_1 could not be set.*no RDMA device has this name/,
    );
    expect(told("absent")).toContain('linux.resources.unified["nonsense.max"] needs the nonsense controller');
    expect(told("disk")).toMatch(/throttleReadBpsDevice\[0\] could not be set.*the machine has no such disk/);
  });

  own("nothing is left of what failed", () => expect(said.left?.output).toBe(""));
});

describe("version 1, with every controller", () => {
  const bundles: Record<string, Config> = {
    limits: sleeper(
      limited(
        {
          hugepageLimits: [{ pageSize: "2MB", limit: megabytes(4) }],
          network: { classID: 0x10_0001, priorities: [{ name: "lo", priority: 5 }] },
          blockIO: { throttleWriteBpsDevice: [{ major: 259, minor: 0, rate: 2_000_000 }] },
        },
        "/limits",
      ),
    ),
    rdma: config(limited({ rdma: { mlx5_1: { hcaHandles: 3 } } }, "/refused")),
    interface: config(limited({ network: { priorities: [{ name: "nosuch0", priority: 1 }] } }, "/refused")),
    weight: config(limited({ blockIO: { weight: 100 } }, "/refused")),
    realtime: config(limited({ cpu: { realtimeRuntime: 1000 } }, "/refused")),
  };
  const steps = {
    limits: `${create("limits")}; cd /sys/fs/cgroup; ${show(
      "hugetlb/limits/hugetlb.2MB.limit_in_bytes",
      "net_cls,net_prio/limits/net_cls.classid",
      "blkio/limits/blkio.throttle.write_bps_device",
    )}; grep lo net_cls,net_prio/limits/net_prio.ifpriomap`,
    rsvd: "cat /sys/fs/cgroup/hugetlb/limits/hugetlb.2MB.rsvd.limit_in_bytes",
    removed: `${remove("limits")}; ls -d /sys/fs/cgroup/*/limits 2>&1 | grep -v "No such"`,
    rdma: run("rdma"),
    interface: run("interface"),
    weight: run("weight"),
    realtime: run("realtime"),
    left: 'ls -d /sys/fs/cgroup/*/refused 2>&1 | grep -v "No such"',
  };

  let said: Record<string, Said> = {};
  beforeAll(async () => {
    if (usable) said = await runInMachine("v1", bundles, steps);
  });

  const v1Test = vmDiffer({ crun: "it refuses a layout of version 1 whose hierarchies are joined so" });

  v1Test("huge pages, the class and priorities of packets, rates of disks", () => {
    expect(said.limits).toEqual({
      status: 0,
      output: [
        `hugetlb/limits/hugetlb.2MB.limit_in_bytes=${megabytes(4)}`,
        `net_cls,net_prio/limits/net_cls.classid=${0x10_0001}`,
        "blkio/limits/blkio.throttle.write_bps_device=259:0 2000000",
        "lo 5",
      ].join("\n"),
    });
    expect(said.removed?.output).toBe("");
  });

  vmDiffer({ runc: "1.1 limits what is used alone", crun: "1.8 limits what is used alone" })(
    "huge pages that are reserved are limited, too",
    () => expect(said.rsvd?.output).toBe(String(megabytes(4))),
  );

  vmDiffer({ runc: "it names them otherwise", crun: "it names them otherwise" })(
    "what cannot be kept is refused by name, and nothing is left of it",
    () => {
      const told = (name: string) => {
        expect(said[name]?.status).toBe(1);
        return said[name]?.output ?? "";
      };
      expect(told("rdma")).toMatch(/linux\.resources\.rdma\.mlx5_1 .*no RDMA device has this name/);
      expect(told("interface")).toMatch(
        /priorities\[0\] could not be set.*no interface of the machine's own/,
      );
      expect(told("weight")).toMatch(/blockIO\.weight needs .*which this kernel does not have.*BFQ/);
      expect(told("realtime")).toMatch(/cpu\.realtimeRuntime needs .*cpu\.rt_runtime_us, which this kernel/);
      expect(said.left?.output).toBe("");
    },
  );
});
