/**
 * How a process gets the processor, the disks and memory: process.scheduler, process.ioPriority,
 * process.execCPUAffinity, linux.memoryPolicy; and linux.personality. What they did is read from the kernel's files.
 */
import { describe, expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { controllerRoot } from "./support/cgroups.ts";
import { output } from "./support/command.ts";
import { type Change, config, rootless, shell, sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { runtimeKind } from "./support/machine.ts";
import { oursOnly, peersDiffer, testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("scheduling");

/** The distributions' ones take no notice of what is newer than they are. */
const older = { runc: "1.1 ignores the property", crun: "1.8 ignores the property" };

/** Policy, real-time priority and nice value of a process: fields 41, 40 and 19 of proc_pid_stat(5). */
function schedulingOf(pid: number | "self"): { policy: number; priority: number; nice: number } {
  const fields = (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1] ?? "").split(" ").map(Number);
  return { policy: fields[38] ?? -1, priority: fields[37] ?? -1, nice: fields[16] ?? -100 };
}

type Process = ReturnType<typeof config>["process"];

const scheduler =
  (value: NonNullable<Process["scheduler"]>): Change =>
  (result) => {
    result.process.scheduler = value;
  };

async function started(change: Change, flags: string[] = [], globals: string[] = []): Promise<Container> {
  const container = await box.create(sleeper(change), { flags, globals });
  await container.start();
  return container;
}

/** The one error line of a container that is not made, of which nothing is left. */
async function refusal(change: Change): Promise<string> {
  const { id, status, stderr } = await box.tryCreate(config(change));
  expect(status).toBe(1);
  expect(stderr).toMatch(/^[^\n]+\n$/);
  expect((await box.runtime(["state", id])).status).not.toBe(0);
  return stderr;
}

describe("process.scheduler", () => {
  const policies: [NonNullable<Process["scheduler"]>, ReturnType<typeof schedulingOf>][] = [
    [
      { policy: "SCHED_OTHER", nice: 5 },
      { policy: 0, priority: 0, nice: 5 },
    ],
    [
      { policy: "SCHED_BATCH", nice: -3 },
      { policy: 3, priority: 0, nice: -3 },
    ],
    [{ policy: "SCHED_IDLE" }, { policy: 5, priority: 0, nice: 0 }],
    [
      { policy: "SCHED_DEADLINE", runtime: 1e6, deadline: 1e7, period: 2e7 },
      { policy: 6, priority: 0, nice: 0 },
    ],
  ];
  for (const [value, expected] of policies) {
    peersDiffer(older)(value.policy, async () => {
      const container = await started(scheduler(value));
      expect(schedulingOf(container.pid)).toEqual(expected);
      await container.delete("--force");
    });
  }

  for (const [policy, number] of [
    ["SCHED_FIFO", 1],
    ["SCHED_RR", 2],
  ] as const) {
    // A cgroup of version 1 of its own would have no time for real-time processes.
    oursOnly(policy, async () => {
      const value = { policy, priority: 7, flags: ["SCHED_FLAG_RESET_ON_FORK"] };
      const container = await started(
        (result) => {
          delete result.linux.resources;
          scheduler(value)(result);
        },
        [],
        ["--cgroup-manager", "disabled"],
      );
      // Where the kernel says it, sched_getscheduler(2)'s SCHED_RESET_ON_FORK is no part of the field.
      expect(schedulingOf(container.pid)).toEqual({ policy: number, priority: 7, nice: 0 });
      expect(await output(["chrt", "-p", String(container.pid)])).toContain(`${policy}|SCHED_RESET_ON_FORK`);
      await container.delete("--force");
    });
  }

  const budget = join(controllerRoot("cpu") ?? "", "cpu.rt_runtime_us");
  testIf(runtimeKind === "bunc" && existsSync(budget), "bunc's own answer, with budgets of version 1")(
    "real-time policies in a cgroup that has a budget for them",
    async () => {
      const { stdout, stderr } = await box.run(
        shell("awk '{ print $41, $40 }' /proc/self/stat", (result) => {
          result.linux.cgroupsPath = `/${box.id()}`;
          result.linux.resources = { cpu: { realtimeRuntime: 10_000, realtimePeriod: 1_000_000 } };
          scheduler({ policy: "SCHED_RR", priority: 3 })(result);
        }),
      );
      expect([stderr, stdout]).toEqual(["", "2 3\n"]);
    },
  );

  oursOnly("without it the process has the caller's", async () => {
    const container = await started(() => {});
    expect(schedulingOf(container.pid)).toEqual(schedulingOf("self"));
    await container.delete("--force");
  });

  oursOnly("is kept by what the process makes", async () => {
    const { stdout } = await box.run(
      shell("(awk '{ print $41, $19 }' /proc/self/stat)", scheduler({ policy: "SCHED_BATCH", nice: 4 })),
    );
    expect(stdout).toBe("3 4\n");
  });

  oursOnly("reaches a container in a user namespace, whose root may not set it", async () => {
    const container = await started((result) => {
      rootless(result, 0, 0);
      scheduler({ policy: "SCHED_BATCH", nice: -2 })(result);
    });
    expect(schedulingOf(container.pid)).toEqual({ policy: 3, priority: 0, nice: -2 });
    await container.delete("--force");
  });

  oursOnly("what the kernel does not permit is an error with its cure, and nothing is left", async () => {
    const change: Change = (result) => {
      rootless(result, 0, 0);
      scheduler({ policy: "SCHED_OTHER", nice: -5 })(result);
    };
    const wrap = ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice", "--"];
    const { id, status, stderr } = await box.tryCreate(config(change), { wrap });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^bunc: process\.scheduler could not be set: sched_setattr\(.*\): E(PERM|ACCES) .*\n$/,
    );
    expect(stderr).toContain("CAP_SYS_NICE");
    expect((await box.runtime(["state", id])).status).not.toBe(0);
  });

  oursOnly("values that no kernel takes are refused by name", async () => {
    expect(await refusal(scheduler({ policy: "SCHED_ISO" }))).toContain(
      "process.scheduler.policy is SCHED_ISO",
    );
    expect(await refusal(scheduler({ policy: "SCHED_FIFO" }))).toContain("process.scheduler.priority is 0");
  });

  oursOnly("exec gives a process the container's, or its document's", async () => {
    const container = await started(scheduler({ policy: "SCHED_BATCH", nice: 6 }));
    const read = ["awk", "{ print $41, $19 }", "/proc/self/stat"];
    const own = await box.runtime(["exec", container.id, ...read]);
    expect(own.stdout).toBe("3 6\n");
    const document = { cwd: "/", args: read, env: ["PATH=/bin"], scheduler: { policy: "SCHED_IDLE" } };
    const other = await box.runtime(["exec", "--process", "/dev/stdin", container.id], {
      stdin: JSON.stringify(document),
    });
    expect([other.stdout, other.stderr]).toEqual(["5 0\n", ""]);
    await container.delete("--force");
  });
});

describe("process.ioPriority", () => {
  const classes: [string, number, string][] = [
    ["IOPRIO_CLASS_BE", 6, "best-effort: prio 6"],
    ["IOPRIO_CLASS_RT", 2, "realtime: prio 2"],
    ["IOPRIO_CLASS_IDLE", 0, "idle"],
  ];
  for (const [name, priority, shown] of classes) {
    peersDiffer(older)(name, async () => {
      const container = await started((result) => {
        result.process.ioPriority = { class: name, priority };
      });
      expect(await output(["ionice", "-p", String(container.pid)])).toBe(`${shown}\n`);
      await container.delete("--force");
    });
  }
});

describe("linux.memoryPolicy", () => {
  type Policy = NonNullable<ReturnType<typeof config>["linux"]["memoryPolicy"]>;
  const policy =
    (value: Policy): Change =>
    (result) => {
      result.linux.memoryPolicy = value;
    };
  // numa(7), "/proc/PID/numa_maps"; the first node is on every machine.
  const modes: [Policy, string][] = [
    [{ mode: "MPOL_BIND", nodes: "0" }, "bind:0"],
    [{ mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] }, "bind=static:0"],
    [{ mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_RELATIVE_NODES"] }, "interleave=relative:0"],
    [{ mode: "MPOL_PREFERRED", nodes: "0" }, "prefer:0"],
    [{ mode: "MPOL_PREFERRED", nodes: "" }, "local"],
    [{ mode: "MPOL_PREFERRED_MANY", nodes: "0" }, "prefer (many):0"],
    [{ mode: "MPOL_LOCAL" }, "local"],
    [{ mode: "MPOL_DEFAULT" }, "default"],
  ];
  for (const [value, shown] of modes) {
    peersDiffer(older)(`${value.mode} ${value.nodes ?? ""} ${value.flags ?? ""}`.trim(), async () => {
      const { status, stdout, stderr } = await box.run(
        shell("sed -n 's/^[0-9a-f]* \\(.*\\) file=.*/\\1/p;q' /proc/self/numa_maps", policy(value)),
      );
      expect([status, stderr, stdout]).toEqual([0, "", `${shown}\n`]);
    });
  }

  oursOnly("a node that the machine does not have is an error that says so", async () => {
    const { status, stderr } = await box.run(config(policy({ mode: "MPOL_BIND", nodes: "1023" })));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^bunc: linux\.memoryPolicy: set_mempolicy\(.*EINVAL.*has_memory.*\n$/);
  });

  oursOnly("is that of what exec adds, too, and of nobody else", async () => {
    const container = await started(policy({ mode: "MPOL_BIND", nodes: "0" }));
    const { stdout } = await box.runtime(["exec", container.id, "head", "-n1", "/proc/self/numa_maps"]);
    expect(stdout).toContain(" bind:0 ");
    expect(readFileSync("/proc/self/numa_maps", "utf8").split("\n")[0]).toContain(" default ");
    await container.delete("--force");
  });
});

describe("linux.personality", () => {
  const personality =
    (domain: string, ...flags: string[]): Change =>
    (result) => {
      result.linux.personality = { domain, flags };
    };

  const known = peersDiffer({ runc: older.runc });

  known("LINUX32 makes the machine one of 32 bits", async () => {
    const { stdout } = await box.run(shell("uname -m; cat /proc/self/personality", personality("LINUX32")));
    expect(stdout).toBe(`${process.arch === "arm64" ? "armv8l" : "i686"}\n00000008\n`);
  });

  known("LINUX makes it what it is, whatever the caller has", async () => {
    const wrap = ["setarch", "linux32"];
    const inherited = await box.run(shell("cat /proc/self/personality"), { wrap });
    const set = await box.run(shell("cat /proc/self/personality", personality("LINUX")), { wrap });
    expect([inherited.stdout, set.stdout]).toEqual(["00000008\n", "00000000\n"]);
  });

  known("is set before a filter that forbids it, and is that of what exec adds", async () => {
    const container = await started((result) => {
      personality("LINUX32")(result);
      result.linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["personality", "set_mempolicy"], action: "SCMP_ACT_ERRNO" }],
      };
    });
    const { stdout } = await box.runtime(["exec", container.id, "cat", "/proc/self/personality"]);
    expect(stdout).toBe("00000008\n");
    await container.delete("--force");
  });

  oursOnly("flags, of which the specification has none, are refused by name", async () => {
    expect(await refusal(personality("LINUX32", "ADDR_NO_RANDOMIZE"))).toContain(
      'linux.personality.flags[0] is "ADDR_NO_RANDOMIZE"',
    );
  });
});

describe("process.execCPUAffinity", () => {
  const allowed = () =>
    /^Cpus_allowed_list:\t(.*)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  const read = ["sed", "-n", "s/^Cpus_allowed_list:\t//p", "/proc/self/status"];
  let container: Container | undefined;
  const shared = async (): Promise<Container> => {
    container ??= await started((result) => {
      result.process.execCPUAffinity = { initial: "0", final: "1" };
    });
    return container;
  };
  // The peers here take no notice of the property.
  const withTwo = testIf(
    runtimeKind === "bunc" && allowed().startsWith("0-"),
    "bunc's own answer, with the first two CPUs",
  );

  async function exec(affinity: { initial?: string; final?: string } | undefined): Promise<string> {
    const document = { cwd: "/", args: read, env: ["PATH=/bin"], execCPUAffinity: affinity };
    const { status, stdout, stderr } = await box.runtime(
      ["exec", "--process", "/dev/stdin", (await shared()).id],
      { stdin: JSON.stringify(document) },
    );
    expect([status, stderr]).toEqual([0, ""]);
    return stdout.trim();
  }

  withTwo("is not the container's own process's", async () => {
    const { pid } = await shared();
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toContain(`Cpus_allowed_list:\t${allowed()}\n`);
  });

  withTwo("of config.json is that of a command", async () => {
    const { stdout } = await box.runtime(["exec", (await shared()).id, ...read]);
    expect(stdout).toBe("1\n");
  });

  withTwo("of a document comes before it", async () => {
    expect(await exec({ final: "0" })).toBe("0");
    expect(await exec({ initial: "1", final: "0-1" })).toBe("0-1");
    expect(await exec(undefined)).toBe("1");
  });

  withTwo("an initial one does not last", async () => {
    expect(await exec({ initial: "0" })).toBe(allowed());
  });

  oursOnly("CPUs that the machine does not have are an error that says so", async () => {
    const document = { cwd: "/", args: ["true"], execCPUAffinity: { final: "4000" } };
    const { status, stderr } = await box.runtime(["exec", "--process", "/dev/stdin", (await shared()).id], {
      stdin: JSON.stringify(document),
    });
    expect(status).toBe(255);
    expect(stderr).toMatch(/^bunc: process\.execCPUAffinity\.final: sched_setaffinity\(.*EINVAL.*\n$/);
  });

  oursOnly("a list that is none is refused", async () => {
    const { status, stderr } = await box.run(
      config((result) => {
        result.process.execCPUAffinity = { initial: "0-" };
      }),
    );
    expect([status, stderr]).toEqual([
      1,
      'bunc: process.execCPUAffinity.initial is "0-": it must be a list of CPUs, such as 0-3,7\n',
    ]);
  });
});
