/** containerd's own way to containers: every command is given to bunc and to runc by its shim, and does the same. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { command, type Finished, until } from "./support/command.ts";
import { Containerd } from "./support/containerd.ts";
import { findProgram, hasProgram, isRoot, runtimePath } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const runc = findProgram("runc");
const possible = isRoot && hasProgram("containerd-shim-runc-v2") && hasProgram("ctr") && runc !== undefined;
const containerdTest = testIf(possible, "needs containerd and runc");

let containerd: Containerd;
let rootfs: string;

// Before the workspace is removed: hooks are run in the order in which they are registered.
afterAll(async () => {
  if (possible) await containerd.close();
}, 60_000);

const box = workspace("containerd");
const runtimes = { ours: runtimePath, theirs: runc ?? "" };
const both = Object.keys(runtimes) as (keyof typeof runtimes)[];

beforeAll(async () => {
  if (!possible) return;
  ({ rootfs } = box.bundle());
  containerd = await Containerd.start(box);
}, 60_000);

/** `ctr run` of a command in the root file system, with one of the runtimes. */
function run(runtime: keyof typeof runtimes, id: string, flags: string[], argv: string[]): string[] {
  const choice = ["--runc-binary", runtimes[runtime], "--runc-root", box.state];
  return ["run", "--rootfs", ...choice, ...flags, rootfs, id, ...argv];
}

/** What `ctr run --rm` does with both. */
async function compare(flags: string[], argv: string[], stdin?: string): Promise<Finished> {
  const options = stdin === undefined ? {} : { stdin };
  const results: Finished[] = [];
  for (const runtime of both) {
    results.push(await containerd.call(run(runtime, `${runtime}-run`, ["--rm", ...flags], argv), options));
  }
  const [mine, other] = results;
  if (!mine || !other) throw new Error("nothing to compare");
  expect([argv, mine.status, mine.stdout]).toEqual([argv, other.status, other.stdout]);
  return mine;
}

const sh = (script: string): string[] => ["/bin/sh", "-c", script];

/** ctr tells the size when the program runs already. */
const onATerminal = sh('tty; read x; until stty size | grep "30 90"; do sleep 0.05; done; exit $x');

/** A column of a container's row in what `ctr tasks list` prints. */
async function taskField(id: string, column: 1 | 2): Promise<string | undefined> {
  const rows = (await containerd.output(["tasks", "list"])).split("\n").map((line) => line.split(/\s+/));
  return rows.find(([name]) => name === id)?.[column];
}

const status = (id: string) => taskField(id, 2);

let count = 0;

/** With both, one after the other: a container in the background. */
async function withContainer(
  argv: string[],
  body: (id: string, runtime: keyof typeof runtimes) => Promise<void>,
): Promise<void> {
  for (const runtime of both) {
    const id = `${runtime}-${++count}`;
    await containerd.output(run(runtime, id, ["--detach"], argv));
    try {
      await body(id, runtime);
    } finally {
      await containerd.call(["tasks", "kill", "--signal", "SIGKILL", id]);
      await until("its end", async () => (await status(id)) !== "RUNNING");
      await containerd.call(["tasks", "delete", id]);
      await containerd.output(["containers", "delete", id]);
    }
    expect(await status(id)).toBeUndefined();
  }
}

const sleep = ["/bin/sleep", "1000"];

describe("ctr run", () => {
  containerdTest("output, input and status", async () => {
    expect(await compare([], ["/bin/echo", "hello"])).toMatchObject({ status: 0, stdout: "hello\n" });
    // ctr does not tell the shim that its own input has ended.
    expect((await compare([], sh("read line; echo $line"), "input\n")).stdout).toBe("input\n");
    expect((await compare([], sh("exit 7"))).status).toBe(7);
  });

  containerdTest("what the process is", async () => {
    const shown = sh(
      "id; umask; pwd; hostname; ulimit -n; grep -E 'Cap|NoNew|Seccomp:|Groups' /proc/self/status; ls /dev /proc/acpi",
    );
    expect((await compare([], shown)).stdout).toContain("CapEff");
    await compare(["--user", "1000:1000", "--cwd", "/tmp"], shown);
    await compare(["--privileged"], shown);
    await compare(["--seccomp", "--rootfs-propagation", "slave", "--read-only"], shown);
  });

  containerdTest("limits", async () => {
    const { stdout } = await compare(["--memory-limit", "67108864", "--cpu-quota", "50000"], sh("echo ok"));
    expect(stdout).toBe("ok\n");
  });

  containerdTest("a program that does not exist", async () => {
    for (const runtime of both) {
      const id = `${runtime}-missing`;
      const { status: failed, stderr } = await containerd.call(run(runtime, id, ["--rm"], ["/nope"]));
      expect([runtime, failed]).toEqual([runtime, 1]);
      expect(stderr).toContain("OCI runtime create failed");
      expect(stderr).toContain("no such file or directory");
      expect(await status(id)).toBeUndefined();
    }
  });

  containerdTest("a terminal, its size, and its status", async () => {
    for (const runtime of both) {
      const script = onATerminal;
      const terminal = containerd.onTerminal(run(runtime, `${runtime}-tty`, ["--rm", "--tty"], script));
      await terminal.waitFor(/\/dev\/pts\/\d+/);
      terminal.write("5\n");
      await terminal.waitFor("30 90");
      expect(await terminal.exit()).toBe(5);
    }
  });
});

describe("ctr tasks", () => {
  containerdTest("exec: output, input, status, user and terminal", async () => {
    await withContainer(sleep, async (id) => {
      const exec = (flags: string[], argv: string[]) => [
        "tasks",
        "exec",
        ...flags,
        "--exec-id",
        "e",
        id,
        ...argv,
      ];
      const { status: five, stdout } = await containerd.call(
        exec([], sh("read line; echo $line; pwd; exit 5")),
        {
          stdin: "in\n",
        },
      );
      expect([five, stdout]).toEqual([5, "in\n/\n"]);
      expect(
        await containerd.output(exec(["--user", "12:34", "--cwd", "/tmp"], sh("id -u; id -g; pwd"))),
      ).toBe("12\n34\n/tmp\n");
      expect((await containerd.call(exec([], ["/nope"]))).stderr).toContain("OCI runtime exec failed");
      const terminal = containerd.onTerminal(exec(["--tty"], onATerminal));
      await terminal.waitFor(/\/dev\/pts\/\d+/);
      terminal.write("6\n");
      await terminal.waitFor("30 90");
      expect(await terminal.exit()).toBe(6);
    });
  });

  containerdTest("pause and resume", async () => {
    await withContainer(sleep, async (id) => {
      await containerd.output(["tasks", "pause", id]);
      expect(await status(id)).toBe("PAUSED");
      await containerd.output(["tasks", "resume", id]);
      expect(await status(id)).toBe("RUNNING");
    });
  });

  containerdTest("ps shows the processes, metrics what they use", async () => {
    await withContainer(sleep, async (id) => {
      const pid = await taskField(id, 1);
      const shown = await containerd.output(["tasks", "ps", id]);
      expect(shown.split("\n").map((line) => line.split(/\s+/)[0])).toEqual(["PID", pid, ""]);
      expect(await containerd.output(["tasks", "metrics", id])).toMatch(/^pids\.current\s+1\s*$/m);
    });
  });

  containerdTest("kill by a signal that the program handles", async () => {
    const trap = sh("trap 'exit 3' TERM; echo > /tmp/ready; while :; do sleep 0.1; done");
    await withContainer(trap, async (id, runtime) => {
      const ready = () =>
        containerd.call(["tasks", "exec", "--exec-id", `look-${++count}`, id, "/bin/rm", "/tmp/ready"]);
      await until(`the trap of ${runtime}`, async () => (await ready()).status === 0);
      await containerd.output(["tasks", "kill", "--signal", "SIGTERM", id]);
      await until("its end", async () => (await status(id)) === "STOPPED");
      expect((await containerd.call(["tasks", "delete", id])).stderr).toContain("exit code 3");
    });
  });

  containerdTest("delete --force of one that runs", async () => {
    await withContainer(sleep, async (id) => {
      await containerd.call(["tasks", "delete", "--force", id]);
      expect(await status(id)).toBeUndefined();
    });
  });
});

describe("afterwards", () => {
  containerdTest("no shim and no mount is left", async () => {
    const { stdout } = await command(["ps", "-eo", "args"]);
    const shims = stdout.split("\n").filter((line) => line.includes(box.path) && line.includes("shim"));
    expect(shims).toEqual([]);
    const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    expect(mounts.filter((line) => line.includes(box.path))).toEqual([]);
  });
});
