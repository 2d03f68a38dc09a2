/**
 * systemd as a container's init, and the runtime in there, asked to have systemd make its cgroups (--systemd-cgroup).
 * A real systemd on a real bus, on this machine's hierarchies: those of version 1, with cgroup2 beside them and without,
 * and cgroup2 alone, which has no controllers here.
 */
import { beforeAll, describe, expect } from "bun:test";
import { type Change, inherit, rootless, sleeper } from "./support/config.ts";
import { cgroups, findProgram, isRoot, runtimeKind } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { PrivateMounts, plainCgroup2 } from "./support/private-mounts.ts";
import { type Layout, SystemdMachine, whyNoSystemd } from "./support/systemd.ts";
import { workspace } from "./support/workspace.ts";

const crunDiffers = "crun cannot raise its limit of locked memory in a container, nor use hybrid layouts";
const reason = !isRoot
  ? "needs root"
  : (whyNoSystemd() ?? (cgroups === "v1" ? "this machine has no cgroup2" : undefined));
const available = reason === undefined && runtimeKind !== "crun";
const systemdTestIf = (condition: boolean, otherwise: string) =>
  testIf(available && condition, available ? otherwise : (reason ?? crunDiffers));
const systemdTest = systemdTestIf(true, "");
const ourTest = systemdTestIf(runtimeKind === "bunc", "bunc's own design");

/** The layouts that this machine can show a container. */
const layouts: readonly Layout[] = cgroups === "hybrid" ? ["v2", "hybrid", "v1"] : ["v2"];

const inScope =
  (name: string): Change =>
  (result) => {
    result.linux.cgroupsPath = `bunc-test.slice:pre:${name}`;
    result.linux.resources = { devices: [{ allow: false, access: "rwm" }] };
    result.annotations = { "org.systemd.property.TimeoutStopSec": "uint64 7" };
  };

const slicePath = "/bunc.slice/bunc-test.slice";

describe.each([...layouts])("cgroup layout %s", (layout) => {
  const box = workspace(`systemd-${layout}`);
  let machine: SystemdMachine;
  const limited = layout !== "v2" || cgroups === "v2";

  beforeAll(async () => {
    if (!available) return;
    if (layout === "v2" && cgroups === "hybrid") box.useMounts(await PrivateMounts.make(plainCgroup2));
    machine = await SystemdMachine.boot(box, layout);
  });

  /** Calls the runtime in the machine, which must succeed; it keeps its state in there. */
  const call = (args: string, runtime = machine.runtime) =>
    machine.shell(`${runtime} --root /run/inner --systemd-cgroup ${args}`);

  /** Starts a sleeping container in a scope. */
  async function run(name: string, change: Change = () => {}, runtime = machine.runtime): Promise<void> {
    const bundle = machine.bundle(
      sleeper((result) => {
        inScope(name)(result);
        change(result);
      }),
    );
    await call(
      `run --detach --bundle ${bundle} ${name} </dev/null >/run/${name} 2>&1 || { cat /run/${name} >&2; false; }`,
      runtime,
    );
  }

  const limits: Change = (result) => {
    Object.assign(result.linux.resources ?? {}, {
      memory: { limit: 100 << 20, reservation: 50 << 20 },
      cpu: { shares: 512, quota: 50_001, period: 100_000 },
      pids: { limit: 77 },
    });
  };

  /** Paths of a unit's cgroups. */
  const directories = (unit: string) => machine.shell(`find /sys/fs/cgroup -name '${unit}'`);

  systemdTest(
    "systemd boots as a container's init, and has its services in cgroups of their own",
    async () => {
      expect(await machine.shell("systemctl is-system-running")).toBe("running");
      const pid = await machine.shell("systemctl show --property=MainPID --value dbus.service");
      expect(await machine.shell(`cat /proc/${pid}/cgroup`)).toContain(":/system.slice/dbus.service");
      expect(await machine.shell("cat /proc/1/cgroup")).toContain(":/init.scope");
    },
  );

  systemdTest(
    "the container has a scope of systemd's, with what config.json asks for, and it goes with it",
    async () => {
      await run("first", limited ? limits : undefined);
      expect(
        await machine.show("pre-first.scope", [
          "ActiveState",
          "Slice",
          "ControlGroup",
          "Delegate",
          "DefaultDependencies",
          "TimeoutStopUSec",
          "Transient",
          "CPUAccounting",
          "MemoryAccounting",
          "TasksAccounting",
        ]),
      ).toEqual({
        ActiveState: "active",
        Slice: "bunc-test.slice",
        ControlGroup: `${slicePath}/pre-first.scope`,
        Delegate: "yes",
        DefaultDependencies: "no",
        TimeoutStopUSec: "7s",
        Transient: "yes",
        CPUAccounting: "yes",
        MemoryAccounting: "yes",
        TasksAccounting: "yes",
      });
      if (limited) {
        const memory = cgroups === "v2" ? "MemoryMax" : "MemoryLimit";
        expect(await machine.show("pre-first.scope", ["TasksMax", "CPUQuotaPerSecUSec", memory])).toEqual({
          TasksMax: "77",
          // Rounded up to a whole percent.
          CPUQuotaPerSecUSec: "510ms",
          [memory]: String(100 << 20),
        });
      }
      await call("delete --force first");
      expect((await machine.show("pre-first.scope", ["LoadState"])).LoadState).toBe("not-found");
      expect(await directories("pre-first.scope")).toBe("");
    },
  );

  systemdTest("its processes are in the scope, and state, exec, list and kill work as ever", async () => {
    await run("second");
    const { pid, status } = JSON.parse(await call("state second")) as { pid: number; status: string };
    expect(status).toBe("running");
    expect(await machine.shell(`cat /proc/${pid}/cgroup`)).toContain(`:${slicePath}/pre-second.scope`);
    expect(await call("list --quiet")).toContain("second");
    expect(await call("exec second echo hello")).toBe("hello");
    await call("kill second KILL");
    await machine.shell(`timeout 20 tail --pid=${pid} -s 0.02 -f /dev/null`);
    await call("delete second");
    expect(await directories("pre-second.scope")).toBe("");
  });

  systemdTestIf(layout === "v2" || runtimeKind === "bunc", "systemd takes it out of the cgroup of devices")(
    "it stays in all its cgroups whatever systemd does with the scope, and exec adds processes to them",
    async () => {
      await run("third", limited ? limits : undefined);
      const { pid } = JSON.parse(await call("state third")) as { pid: number };
      const groups = await machine.shell(`cat /proc/${pid}/cgroup`);
      await machine.shell("systemctl daemon-reload");
      await machine.shell("systemctl set-property --runtime pre-third.scope TasksMax=60");
      expect(await machine.shell(`cat /proc/${pid}/cgroup`)).toBe(groups);
      expect(await call("exec third cat /proc/self/cgroup")).toBe(groups);
      await call("delete --force third");
    },
  );

  systemdTestIf(limited, "cgroup2 has no controllers here")("update changes the scope, too", async () => {
    await run("changed", limits);
    const { pid } = JSON.parse(await call("state changed")) as { pid: number };
    // In version 1 a quota may not be above that of the cgroup around it.
    for (const [quota, percent] of [
      [80_000, "800ms"],
      [20_000, "200ms"],
    ] as const) {
      await call(`update --pids-limit 50 --cpu-quota ${quota} changed`);
      expect(await machine.show("pre-changed.scope", ["TasksMax", "CPUQuotaPerSecUSec"])).toEqual({
        TasksMax: "50",
        CPUQuotaPerSecUSec: percent,
      });
      if (cgroups !== "v2") {
        const own = await machine.shell(`sed -n 's/^[0-9]*:cpu:\\(.*\\)/\\1/p' /proc/${pid}/cgroup`);
        expect(await machine.shell(`cat /sys/fs/cgroup/cpu${own}/cpu.cfs_quota_us`)).toBe(String(quota));
      }
    }
    await call("delete --force changed");
  });

  systemdTestIf(runtimeKind === "bunc", "runc has no cgroup in the scope")(
    "run.oci.systemd.subgroup names the cgroup in the scope; on v2 it may be none",
    async () => {
      const subgroup = (name: string): Change => {
        return (result) => {
          result.annotations = { "run.oci.systemd.subgroup": name };
        };
      };
      await run("grouped", subgroup("inner"));
      expect(await call("exec grouped cat /proc/self/cgroup")).toContain("/pre-grouped.scope/inner");
      await call("delete --force grouped");
      const none = run("alone", subgroup(""));
      if (layout === "v2") {
        await none;
        expect(await call("exec alone cat /proc/self/cgroup")).toMatch(/^0::.*\/pre-alone\.scope$/m);
        await call("delete --force alone");
        expect(await directories("pre-alone.scope")).toBe("");
      } else {
        await expect(none).rejects.toThrow("takes cgroup v2");
      }
    },
  );

  systemdTest("a property that systemd does not have fails create, and nothing stays", async () => {
    const unknown = run("wrong", (result) => {
      result.annotations = { "org.systemd.property.NoSuchThing": "'x'" };
    });
    await expect(unknown).rejects.toThrow(/NoSuchThing/);
    expect(await call("list --quiet")).not.toContain("wrong");
    expect((await machine.show("pre-wrong.scope", ["LoadState"])).LoadState).toBe("not-found");
    expect(await directories("pre-wrong.scope")).toBe("");
  });

  systemdTestIf(runtimeKind === "bunc", "runc 1.1 puts the second container into the first one's scope")(
    "a scope that is there already stays as it is, and the second container is none",
    async () => {
      await run("taken");
      const before = await machine.show("pre-taken.scope", ["InvocationID"]);
      const second = machine.bundle(sleeper(inScope("taken")));
      const command = `${machine.runtime} --root /run/inner --systemd-cgroup run --detach --bundle ${second} other`;
      const { status, stderr } = await machine.call(["sh", "-c", `${command} </dev/null`]);
      expect(status).not.toBe(0);
      expect(stderr).toContain("pre-taken.scope");
      expect(await machine.show("pre-taken.scope", ["InvocationID"])).toEqual(before);
      expect(await call("state taken")).toContain("running");
      await call("delete --force taken");
    },
  );

  systemdTestIf(runtimeKind === "bunc" && findProgram("runc") !== undefined, "compares bunc with runc")(
    "the scope is what runc's is",
    async () => {
      const names = ["Slice", "Delegate", "DefaultDependencies", "TimeoutStopUSec", "KillMode", "Transient"];
      names.push(
        "MemoryAccounting",
        "CPUAccounting",
        "TasksAccounting",
        "TasksMax",
        "MemoryMax",
        "MemoryLow",
      );
      names.push("MemoryLimit", "CPUShares", "CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec");
      const shown: Record<string, string>[] = [];
      for (const runtime of [machine.runtime, "runc"]) {
        await run("same", limited ? limits : undefined, runtime);
        shown.push(await machine.show("pre-same.scope", names));
        await call("delete --force same", runtime);
      }
      const [ours, theirs] = shown;
      expect(ours).toEqual(theirs ?? {});
    },
  );

  ourTest("without a bus the cgroups are made all the same, and a warning says why", async () => {
    const bundle = machine.bundle(sleeper(inScope("busless")));
    const command = `${machine.runtime} --root /run/inner --systemd-cgroup run --detach --bundle ${bundle} busless`;
    const broken = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/nowhere";
    await machine.shell(`${broken} ${command} </dev/null >/run/busless 2>&1`);
    expect(await machine.shell("cat /run/busless")).toBe(
      "bunc: warning: --systemd-cgroup: the machine's systemd cannot be asked: sd_bus_start: unix:path=/run/nowhere: No such file or directory; the cgroups are made without it",
    );
    const { pid } = JSON.parse(await call("state busless")) as { pid: number };
    expect(await machine.shell(`cat /proc/${pid}/cgroup`)).toMatch(
      /:\/bunc\.slice\/bunc-test\.slice\/pre-busless\.scope$/m,
    );
    await call("delete --force busless");
    expect(await directories("pre-busless.scope")).toBe("");
  });

  systemdTestIf(limited && findProgram("podman") !== undefined, "needs podman, and controllers")(
    "podman has it make its containers' scopes",
    async () => {
      const storage = "--storage-driver vfs --root /tmp/podman --runroot /run/podman";
      const podman = (args: string) =>
        machine.shell(`podman ${storage} --cgroup-manager systemd --runtime ${machine.runtime} ${args}`);
      const rootfs = `${machine.bundle(sleeper())}/rootfs`;
      const id = await podman(
        `run --detach --network none --pids-limit 55 --rootfs ${rootfs} sleep 1000 </dev/null 2>/dev/null`,
      );
      const unit = `libpod-${id}.scope`;
      expect(await machine.show(unit, ["ActiveState", "Slice", "TasksMax"])).toEqual({
        ActiveState: "active",
        Slice: "machine.slice",
        TasksMax: "55",
      });
      expect(await podman(`exec ${id} cat /proc/self/cgroup`)).toContain(unit);
      expect(await podman(`rm --force --time 0 ${id}`)).toBe(id);
      expect((await machine.show(unit, ["LoadState"])).LoadState).toBe("not-found");
      expect(await directories(unit)).toBe("");
    },
  );

  describe("a user's own systemd", () => {
    // runc 1.1 ignores that its exec may not enter the cgroup, and as root of a user namespace it does not start.
    const userTest = systemdTestIf(
      layout === "v2" && runtimeKind === "bunc",
      layout === "v2" ? "runc 1.1 leaves what exec adds outside" : "cgroup v1 has nothing for users",
    );
    const runtimeDirectory = "/run/user/1000";
    const asUser = ["--user", "1000:1000", "--env", `XDG_RUNTIME_DIR=${runtimeDirectory}`];
    const callAs = (args: string, wrap = "") =>
      machine.shell(
        `${wrap} ${machine.runtime} --root ${runtimeDirectory}/inner --systemd-cgroup ${args}`,
        asUser,
      );
    const own = "/user.slice/user-1000.slice/user@1000.service";

    beforeAll(async () => {
      if (!available || layout !== "v2") return;
      await machine.shell(`mkdir -p ${runtimeDirectory}; chown 1000:1000 ${runtimeDirectory}`);
      const manager =
        "--unit=user@1000 --slice=user-1000.slice -p User=1000 -p Group=1000 -p Delegate=yes -p Type=notify";
      await machine.shell(
        `systemd-run --quiet ${manager} -E XDG_RUNTIME_DIR=${runtimeDirectory} /usr/lib/systemd/systemd --user`,
      );
    });

    /** The caller is in a cgroup outside of what is the user's: only systemd can move processes from there. */
    async function runAs(name: string, uid: number, wrap = ""): Promise<void> {
      const bundle = machine.bundle(
        sleeper((result) => {
          inScope(name)(result);
          result.linux.cgroupsPath = `:pre:${name}`;
          rootless(result, uid, uid);
          // Parts of /proc are covered here, which a user cannot take away with a new one.
          inherit(result, "pid");
          const [proc] = result.mounts;
          if (proc) Object.assign(proc, { type: "bind", source: "/proc", options: ["rbind"] });
        }),
      );
      const output = `${runtimeDirectory}/${name}`;
      await callAs(
        `run --detach --bundle ${bundle} ${name} </dev/null >${output} 2>&1 || { cat ${output} >&2; false; }`,
        wrap,
      );
    }

    userTest("makes the scope, and moves processes into it that the user could not", async () => {
      await runAs("mine", 1000);
      const show = `systemctl --user show --property=Slice,ControlGroup,Delegate pre-mine.scope`;
      expect((await machine.shell(show, asUser)).split("\n").sort()).toEqual([
        `ControlGroup=${own}/user.slice/pre-mine.scope`,
        "Delegate=yes",
        "Slice=user.slice",
      ]);
      const { pid } = JSON.parse(await callAs("state mine")) as { pid: number };
      const groups = await machine.shell(`cat /proc/${pid}/cgroup`);
      expect(groups).toContain(`0::${own}/user.slice/pre-mine.scope`);
      expect(await callAs("exec mine cat /proc/self/cgroup")).toBe(groups);
      await callAs("delete --force mine");
      expect(await directories("pre-mine.scope")).toBe("");
    });

    userTest("the same for root of a user namespace, as podman calls without root", async () => {
      await runAs("nested", 0, "unshare --user --map-root-user");
      expect(await machine.shell("systemctl --user is-active pre-nested.scope", asUser)).toBe("active");
      await callAs("delete --force nested", "unshare --user --map-root-user");
      expect(await directories("pre-nested.scope")).toBe("");
    });

    ourTest("without one the container has no scope, and a warning says why", async () => {
      const { stderr } = await machine.call(
        [
          "sh",
          "-c",
          `${machine.runtime} --systemd-cgroup plan --bundle ${machine.bundle(sleeper((result) => rootless(result, 1000, 1000)))} >/dev/null`,
        ],
        ["--user", "1000:1000"],
      );
      expect(stderr).toContain(
        layout === "v2"
          ? "--systemd-cgroup: the user's systemd cannot be asked: the user's bus is not known"
          : "--systemd-cgroup: a user's systemd has nothing to give of cgroup v1",
      );
    });
  });

  ourTest("a bunc that is killed on the way leaves nothing that delete --force cannot find", async () => {
    const killed = run("killed", (result) => {
      // When hooks are run the scope is there, and the state is not written yet.
      result.hooks = { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "kill -9 $PPID"] }] };
    });
    await expect(killed).rejects.toThrow();
    await call("delete --force killed");
    expect((await machine.show("pre-killed.scope", ["LoadState"])).LoadState).toBe("not-found");
    expect(await directories("pre-killed.scope")).toBe("");
  });

  systemdTestIf(
    layout === "v2" && runtimeKind === "bunc",
    layout === "v2"
      ? "runc 1.1 leaves it without a cgroup"
      : "a user namespace is given nothing of cgroup v1",
  )("systemd boots in a user namespace, too: its root has the container's cgroup", async () => {
    const mapped = await SystemdMachine.boot(box, layout, "mapped");
    expect(await mapped.shell("systemctl is-system-running")).toBe("running");
    expect(await mapped.shell("cat /proc/1/cgroup")).toContain("0::/init.scope");
    expect(await mapped.shell("systemd-run --quiet --pipe --wait cat /proc/self/cgroup")).toMatch(
      /^0::\/system\.slice\/run-.*\.service$/m,
    );
    await mapped.container.kill("37");
    expect(await mapped.container.exit(20_000)).toBe(0);
    await mapped.container.delete();
  });

  systemdTest("SIGRTMIN+3 (37) ends it, as podman stop does", async () => {
    await machine.container.kill("37");
    expect(await machine.container.exit(20_000)).toBe(0);
    await machine.container.delete();
  });
});
