/** `checkpoint` and `restore`: containers that end here and go on there, through criu. */
import { afterAll, describe, expect } from "bun:test";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { controllerRoot, findGroups, groupsOf } from "./support/cgroups.ts";
import { type Finished, isAlive, processStatus, Running, statusField, until } from "./support/command.ts";
import { type Change, type Config, inherit, shell } from "./support/config.ts";
import { ConsoleSocket } from "./support/console.ts";
import { findCriu } from "./support/criu.ts";
import { reap } from "./support/libc.ts";
import { runtimeKind, searchPath } from "./support/machine.ts";
import { type Differences, peersDiffer, testIf } from "./support/peers.ts";
import { OnTerminal } from "./support/pty.ts";
import { type Bundle, workspace } from "./support/workspace.ts";

const box = workspace("checkpoint");
const { criu, reason } = findCriu(box);
const env = { PATH: criu ? `${criu.directory}:${searchPath}` : searchPath };
const nothing = openSync("/dev/null", "r+");
afterAll(() => closeSync(nothing));

const crunLacksIt = "Debian's is built without criu";

/** A test with criu: of every runtime that has it, but for those named. */
function criuTest(title: string, body: () => Promise<void>, differences: Differences = {}): void {
  if (criu === undefined) testIf(false, reason)(title, body);
  else peersDiffer({ crun: crunLacksIt, ...differences })(title, body, 60_000);
}

/** A container that runs detached, without any tie to the test but files. */
class Detached {
  readonly id: string;
  readonly bundle: Bundle;
  readonly images: string;

  constructor(change: Config) {
    this.id = box.id();
    this.bundle = box.bundle(change);
    this.images = join(this.bundle.path, "images");
  }

  /** Calls the runtime: what it says is in a file, since the container keeps its streams. */
  async call(verb: string, ...args: string[]): Promise<Finished> {
    const log = join(this.bundle.path, "log");
    const silent = { stdin: nothing, stdout: nothing, stderr: nothing, timeout: 40_000 };
    const { status } = await box.runtime([verb, ...args, this.id], {
      env,
      ...silent,
      globals: ["--log", log],
    });
    return { status, stdout: "", stderr: existsSync(log) ? readFileSync(log, "utf8") : "" };
  }

  /** A call that must succeed. */
  async must(verb: string, ...args: string[]): Promise<void> {
    const { status, stderr } = await this.call(verb, ...args);
    const criuLog = ["dump.log", "restore.log"].map((name) => this.imageFile(name)).join("");
    const said = criuLog
      .split("\n")
      .filter((line) => line.includes("Error"))
      .join("\n");
    if (status !== 0) throw new Error(`${verb}: exit status ${status}: ${stderr}\n${said}`);
  }

  run(): Promise<void> {
    return this.must("run", "--detach", "--bundle", this.bundle.path);
  }

  async checkpoint(...args: string[]): Promise<void> {
    const pid = await this.pid();
    await this.must("checkpoint", "--image-path", this.images, ...args);
    // Its number is free for the restored one only when somebody has waited for it.
    if (!isAlive(pid) && isOwnChild(pid)) reap(pid);
  }

  restore(...args: string[]): Promise<void> {
    return this.must(
      "restore",
      "--detach",
      "--bundle",
      this.bundle.path,
      "--image-path",
      this.images,
      ...args,
    );
  }

  async state(): Promise<{ status: string; pid: number } | undefined> {
    const { status, stdout } = await box.runtime(["state", this.id]);
    return status === 0 ? JSON.parse(stdout) : undefined;
  }

  async pid(): Promise<number> {
    const state = await this.state();
    if (state?.status !== "running") throw new Error(`${this.id} does not run: ${JSON.stringify(state)}`);
    return state.pid;
  }

  /** The content of a file of the container's root; "" while it is not there. */
  file(name: string): string {
    const path = join(this.bundle.rootfs, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  imageFile(name: string): string {
    const path = join(this.images, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** Waits until the container has counted on; gives the number that it began with, and where it is. */
  async counts(): Promise<number> {
    const lines = () => this.file("count").split("\n").slice(0, -1);
    const before = lines().length;
    await until(`${this.id} to count`, () => lines().length > before + 2);
    const numbers = lines().map(Number);
    // Not one was left out, and not one was counted twice: it is the same process.
    expect(numbers).toEqual(numbers.map((_, index) => index));
    return before;
  }

  async kill(): Promise<void> {
    expect(await box.runtime(["kill", this.id, "KILL"])).toMatchObject({ status: 0 });
  }

  async delete(): Promise<void> {
    const pid = (await this.state())?.pid ?? 0;
    await box.runtime(["delete", "--force", this.id]);
    if (pid > 0) await until("init to be reaped", () => reap(pid) !== undefined || !isAlive(pid));
  }
}

/** Whether the kernel was built with a feature, as far as it says so. */
function kernelHas(feature: string): boolean {
  const text = existsSync("/proc/config.gz")
    ? gunzipSync(readFileSync("/proc/config.gz")).toString()
    : readFileSync(`/boot/config-${release()}`, "utf8");
  return text.includes(`CONFIG_${feature}=y`);
}

/** Whether a process, or what is left of it, waits for this one to wait for it. */
function isOwnChild(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && statusField(processStatus(pid), "PPid") === String(process.pid);
}

/** Counts in a variable of the shell's, which is in no file. */
const counter = (change: Change = () => {}): Config =>
  shell("i=0; while :; do echo $i >> /count; i=$((i+1)); usleep 20000; done", change);

describe("a container", () => {
  criuTest("ends with its checkpoint, and goes on where it was", async () => {
    const container = new Detached(counter());
    await container.run();
    await container.counts();
    const pid = await container.pid();
    await container.checkpoint();
    expect(isAlive(pid)).toBe(false);
    expect(await container.state()).toBeUndefined();
    expect(findGroups(container.id)).toEqual([]);
    expect(readdirSync(container.images)).toContain("inventory.img");

    const pidFile = join(container.bundle.path, "pid");
    await container.restore("--pid-file", pidFile);
    expect(Number(readFileSync(pidFile, "utf8"))).toBe(await container.pid());
    expect(await container.counts()).toBeGreaterThan(2);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(container.id);

    // It is a container as any other: it can be killed, and dumped again.
    await container.checkpoint();
    await container.restore();
    await container.counts();
    await container.delete();
    expect(await container.state()).toBeUndefined();
  });
});

describe("what it has", () => {
  criuTest("its namespaces, names, mounts, limits and cgroups are the same again", async () => {
    const shared = box.directory("shared");
    writeFileSync(join(shared, "from-outside"), "1");
    mkdirSync(join(shared, "inner"));
    const look =
      "ls /scratch /volume /proc/fs /dev; cat /proc/timer_list /scratch/file; hostname; cut -d ' ' -f 5,6 /proc/self/mountinfo | cut -d , -f 1; " +
      "sed s/:.*// /proc/self/cgroup; touch /proc/sys/x; echo $(cat /proc/self/oom_score_adj; ulimit -n)";
    const script =
      "echo kept > /scratch/file; hostname named; i=0; " +
      `while :; do { ${look}; } > /look.new 2>&1; mv /look.new /look; echo $i > /volume/seen.new; mv /volume/seen.new /volume/seen; ` +
      "echo $i >> /count; i=$((i+1)); usleep 20000; done";
    const container = new Detached(
      shell(script, (result) => {
        result.process.env = ["PATH=/bin"];
        result.process.capabilities?.bounding?.push("CAP_SYS_ADMIN");
        result.process.capabilities?.effective?.push("CAP_SYS_ADMIN");
        result.process.capabilities?.permitted?.push("CAP_SYS_ADMIN");
        result.linux.namespaces.push({ type: "cgroup" });
        result.linux.maskedPaths = ["/proc/timer_list", "/proc/fs", "/proc/keys"];
        result.linux.readonlyPaths = ["/proc/sys", "/proc/sysrq-trigger"];
        result.mounts.push(
          { destination: "/scratch", type: "tmpfs", source: "tmpfs" },
          { destination: "/volume", source: shared, options: ["rbind"] },
          { destination: "/volume/inner", source: "/etc/hostname", type: "tmpfs" },
          { destination: "/etc/name", source: "/etc/hostname", options: ["bind", "ro"] },
        );
        result.linux.resources = { ...result.linux.resources, pids: { limit: 77 } };
      }),
    );
    await container.run();
    await container.counts();
    const before = container.file("look");
    expect(before).toContain("\nkept\nnamed\n/ ");
    expect(before).toMatch(/^\/proc\/fs ro/m);
    const groups = groupsOf(await container.pid());
    await container.checkpoint();
    await container.restore();
    await container.counts();
    const lines = (text: string) => text.trim().split("\n").sort();
    expect(lines(container.file("look"))).toEqual(lines(before));
    expect(groupsOf(await container.pid())).toEqual(groups);
    const pids = controllerRoot("pids");
    if (pids !== undefined) {
      const path = join(pids, groups.get("pids") ?? "", "pids.max");
      expect(readFileSync(path, "utf8")).toBe("77\n");
    }
    expect(readFileSync(join(shared, "seen"), "utf8")).not.toBe("");
    await container.delete();
  });
});

describe("options", () => {
  criuTest("--leave-running: it goes on, and is restored under another name", async () => {
    const container = new Detached(counter());
    await container.run();
    await container.counts();
    const pid = await container.pid();
    const work = join(container.bundle.path, "work");
    await container.checkpoint("--leave-running", "--work-path", work);
    expect(readdirSync(work)).toContain("dump.log");
    expect(container.imageFile("dump.log")).toBe("");
    expect(await container.pid()).toBe(pid);
    await container.counts();
    await container.delete();
    const count = container.file("count");

    const other = new Detached(counter());
    writeFileSync(join(other.bundle.rootfs, "count"), count.split("\n").slice(0, 1).join("\n"));
    const { status } = await other.call(
      ...(["restore", "--detach", "--bundle", other.bundle.path, "--image-path", container.images] as const),
    );
    expect(status).toBe(0);
    // It goes on with the number that it had in its memory, not with what the file says.
    const last = await until("the count", () => Number(other.file("count").split("\n").at(-2)) || undefined);
    expect(last).toBeGreaterThan(1);
    await other.delete();
  });

  const tracksMemory = kernelHas("MEM_SOFT_DIRTY");
  const preDump = ["--pre-dump", "--image-path"];

  criuTest("--pre-dump and --parent-path: the last checkpoint has only what has changed", async () => {
    const container = new Detached(counter());
    await container.run();
    await container.counts();
    const first = join(container.bundle.path, "first");
    const result = await container.call("checkpoint", ...preDump, first);
    if (tracksMemory) {
      expect(result).toMatchObject({ status: 0, stderr: "" });
      await container.counts();
      await container.checkpoint("--parent-path", "../first");
      await container.restore();
    } else {
      expect(result.status).toBe(1);
      expect(result.stderr).toContain(runtimeKind === "bunc" ? "CONFIG_MEM_SOFT_DIRTY" : "features");
    }
    // Whatever became of it, the container goes on.
    await container.counts();
    await container.delete();
  });

  criuTest(
    "--tcp-established, --file-locks, --ext-unix-sk, --empty-ns and the ways with cgroups are criu's",
    async () => {
      const script =
        "exec 9>/lock; flock 9; i=0; while :; do echo $i >> /count; i=$((i+1)); usleep 20000; done";
      const container = new Detached(shell(script));
      await container.run();
      await container.counts();
      const options = ["--tcp-established", "--file-locks", "--ext-unix-sk", "--shell-job"];
      const modes = ["full", "soft", ...(runtimeKind === "bunc" ? ["ignore"] : [])];
      for (const mode of modes) {
        await container.checkpoint(...options, "--manage-cgroups-mode", mode, "--empty-ns", "network");
        await container.restore(...options, "--manage-cgroups-mode", mode, "--empty-ns", "network");
        await container.counts();
      }
      await container.delete();
    },
  );
});

describe("in the foreground", () => {
  const restored = (container: Detached) => [
    ...["restore", "--bundle", container.bundle.path, "--image-path", container.images, container.id],
  ];

  // What the test's own runner calls a pipe is a socket.
  const pipes = ["bash", "--norc", "-c", 'set -o pipefail; cat | "$@" 2> >(cat >&2) | cat', "bash"];

  criuTest("restore passes the streams on, and the exit status", async () => {
    const script =
      "i=0; until test -e /go; do echo $i >> /count; i=$((i+1)); usleep 20000; done; echo at $i; cat; exit 7";
    const container = new Detached(shell(script));
    // Its own streams are pipes of a caller's, as conmon's and containerd's are.
    const args = ["run", "--bundle", container.bundle.path, container.id];
    const first = await box.spawn(args, { env, wrap: pipes, stdin: "pipe" });
    await until("the container", () => container.file("count").length > 10);
    await container.checkpoint();
    first.closeInput();
    expect((await first.finished).status).toBe(137);
    const second = await box.spawn(restored(container), { env, wrap: pipes, stdin: "pipe", timeout: 30_000 });
    await container.counts();
    writeFileSync(join(container.bundle.rootfs, "go"), "");
    second.write("through the pipe");
    second.closeInput();
    const { status, stdout, stderr } = await second.finished;
    expect({ status, stderr }).toEqual({ status: 7, stderr: "" });
    expect(stdout).toMatch(/^at \d+\nthrough the pipe$/);
    expect(await container.state()).toBeUndefined();
    expect(findGroups(container.id)).toEqual([]);
  });

  criuTest("signals are forwarded", async () => {
    const container = new Detached(
      shell("trap 'echo got > /got; exit 3' TERM; while :; do echo >> /count; usleep 20000; done"),
    );
    const args = ["run", "--bundle", container.bundle.path, container.id];
    const silent = { env, stdin: nothing, stdout: nothing, stderr: nothing };
    const first = await box.spawn(args, silent);
    await until("the container", () => container.file("count").length > 2);
    await container.checkpoint();
    expect((await first.finished).status).toBe(137);
    const length = container.file("count").length;
    const second = await box.spawn(restored(container), silent);
    await until("it to go on", () => container.file("count").length > length);
    second.kill("SIGTERM");
    expect((await second.finished).status).toBe(3);
    expect(container.file("got")).toBe("got\n");
  });

  criuTest("a terminal of its own is there again", async () => {
    const container = new Detached(
      shell("n=0; while read line; do n=$((n+1)); echo $n: $line; tty; done", (result) => {
        result.process.terminal = true;
      }),
    );
    const args = ["run", "--bundle", container.bundle.path, container.id];
    const first = new OnTerminal(box.argv(args), { env });
    await until("the container", async () => (await container.state())?.status === "running");
    first.write("one\r");
    await first.waitFor("1: one\r\n");
    await first.waitFor("/dev/pts/0\r\n");
    await container.checkpoint();
    await first.exit();
    const second = new OnTerminal(box.argv(restored(container)), { env, rows: 30, columns: 100 });
    await until("the container", async () => (await container.state())?.status === "running");
    second.write("two\r");
    await second.waitFor("2: two\r\n");
    await second.waitFor("/dev/pts/0\r\n");
    await container.kill();
    expect(await second.exit()).toBe(137);
  });
});

criuTest("--console-socket takes the terminal of a restored container", async () => {
  const container = new Detached(
    shell("n=0; while read line; do n=$((n+1)); echo $n: $line; done", (result) => {
      result.process.terminal = true;
    }),
  );
  const through = async (verb: "run" | "restore", ...args: string[]) => {
    const path = join(container.bundle.path, `${verb}.sock`);
    const socket = new ConsoleSocket(path);
    try {
      const calling = container.must(
        verb,
        "--detach",
        "--bundle",
        container.bundle.path,
        "--console-socket",
        path,
        ...args,
      );
      const [console] = await Promise.all([socket.accept(), calling]);
      return console;
    } finally {
      socket.close();
    }
  };
  const before = await through("run");
  before.write("one\n");
  await before.waitFor("1: one\r\n");
  await container.checkpoint();
  before.close();
  const after = await through("restore", "--image-path", container.images);
  after.write("two\n");
  await after.waitFor("2: two\r\n");
  after.close();
  await container.delete();
});

describe("surroundings", () => {
  criuTest("the caller's network and pid namespaces, by their paths", async () => {
    const holder = new Running(
      [
        "unshare",
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        "-c",
        "while :; do sleep 1000 & wait $!; done",
      ],
      {
        timeout: 2 ** 30,
      },
    );
    try {
      const child = await until("the namespaces", () => {
        const text = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8").trim();
        return text === "" ? undefined : Number(text);
      });
      const path = (type: string) => `/proc/${child}/ns/${type}`;
      const container = new Detached(
        counter((result) => {
          inherit(result, "network", "pid");
          result.linux.namespaces.push(
            { type: "network", path: path("net") },
            { type: "pid", path: path("pid") },
          );
        }),
      );
      await container.run();
      await container.counts();
      await container.checkpoint();
      await container.restore();
      await container.counts();
      const pid = await container.pid();
      for (const type of ["net", "pid"])
        expect(readlinkSync(`/proc/${pid}/ns/${type}`)).toBe(readlinkSync(path(type)));
      await container.delete();
    } finally {
      holder.kill("SIGKILL");
      await holder.finished;
    }
  });

  criuTest("a user namespace, with devices bound from outside", async () => {
    const container = new Detached(
      counter((result) => {
        result.linux.namespaces.push({ type: "user" });
        result.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
        result.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
      }),
    );
    chownSync(container.bundle.rootfs, 100_000, 100_000);
    await container.run();
    await container.counts();
    await container.checkpoint();
    // criu reads some of the images as the container's root, who may not enter what only root may.
    const refused = await container.call(
      ...([
        "restore",
        "--detach",
        "--bundle",
        container.bundle.path,
        "--image-path",
        container.images,
      ] as const),
    );
    expect(refused.status).toBe(1);
    if (runtimeKind === "bunc") expect(refused.stderr).toContain(`chmod o+x ${container.images}`);
    expect(findGroups(container.id)).toEqual([]);
    chmodSync(container.images, 0o711);
    await container.restore();
    await container.counts();
    const map = readFileSync(`/proc/${await container.pid()}/uid_map`, "utf8")
      .trim()
      .split(/\s+/);
    expect(map).toEqual(["0", "100000", "1000"]);
    await container.delete();
  });

  criuTest("cgroups without a namespace of their own, seen at /sys/fs/cgroup", async () => {
    const container = new Detached(
      counter((result) =>
        result.mounts.push({
          destination: "/sys/fs/cgroup",
          type: "cgroup",
          source: "cgroup",
          options: ["ro"],
        }),
      ),
    );
    await container.run();
    await container.counts();
    await container.checkpoint();
    await container.restore();
    await container.counts();
    await container.delete();
  });

  criuTest("hooks: prestart and createRuntime again, poststop when the checkpoint has ended it", async () => {
    const log = join(box.directory("hooks"), "log");
    const hook = (name: string) => [
      {
        path: "/bin/sh",
        args: ["sh", "-c", `cat >> ${log}; echo " ${name}" >> ${log}`],
        env: ["PATH=/usr/bin:/bin"],
      },
    ];
    const container = new Detached(
      counter((result) => {
        const names = ["prestart", "createRuntime", "poststart", "poststop"] as const;
        result.hooks = Object.fromEntries(names.map((name) => [name, hook(name)]));
      }),
    );
    const ran = () =>
      readFileSync(log, "utf8")
        .trim()
        .split("\n")
        .map((line) => line.split(" ").at(-1));
    await container.run();
    await container.counts();
    expect(ran()).toEqual(["prestart", "createRuntime", "poststart"]);
    await container.checkpoint();
    expect(ran().slice(3)).toEqual(["poststop"]);
    await container.restore();
    await container.counts();
    expect(ran().slice(4)).toEqual(["prestart", "createRuntime"]);
    const state = JSON.parse(readFileSync(log, "utf8").trim().split("\n").at(-1)?.replace(/ \w+$/, "") ?? "");
    expect(state).toMatchObject({ id: container.id, pid: await container.pid() });
    await container.delete();
  });
});

describe("what cannot be", () => {
  criuTest("is refused, and the container goes on", async () => {
    const container = new Detached(counter());
    await container.run();
    await container.counts();
    const missing = await container.call(
      "restore",
      "--image-path",
      container.images,
      "--bundle",
      container.bundle.path,
    );
    expect(missing.status).toBe(1);
    const nobody = await box.runtime(["checkpoint", "--image-path", container.images, "nobody"], { env });
    expect(nobody.status).toBe(1);
    expect(nobody.stderr).toContain("does not exist");
    await container.counts();
    await container.kill();
    await until("its end", async () => (await container.state())?.status === "stopped");
    const stopped = await container.call("checkpoint", "--image-path", container.images);
    expect(stopped.status).toBe(1);
    expect(stopped.stderr).toMatch(/stopped/);
    await container.delete();
  });

  criuTest("a damaged checkpoint leaves nothing behind", async () => {
    const container = new Detached(counter());
    await container.run();
    await container.counts();
    await container.checkpoint();
    writeFileSync(join(container.images, "pstree.img"), "damaged");
    const { status, stderr } = await container.call(
      ...([
        "restore",
        "--detach",
        "--bundle",
        container.bundle.path,
        "--image-path",
        container.images,
      ] as const),
    );
    expect(status).toBe(1);
    if (runtimeKind === "bunc")
      expect(stderr).toMatch(/restore: criu could not restore container .*; its log is /);
    expect(await container.state()).toBeUndefined();
    expect(findGroups(container.id)).toEqual([]);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(container.id);
  });
});
