/** `checkpoint` and `restore`: containers that end here and go on there, through criu. */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { controllerRoot, findGroups, groupsOf } from "./support/cgroups.ts";
import { Checkpoints, counter } from "./support/checkpoint.ts";
import { isAlive, output, until } from "./support/command.ts";
import { shell } from "./support/config.ts";
import { runtimeKind } from "./support/machine.ts";
import { oursOnly } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("checkpoint");
const checkpoints = new Checkpoints(box);
const criuTest = checkpoints.test.bind(checkpoints);
const { env, nothing } = checkpoints;

/** Whether the kernel was built with a feature, as far as it says so. */
function kernelHas(feature: string): boolean {
  const packed = "/proc/config.gz";
  const text = existsSync(packed)
    ? gunzipSync(readFileSync(packed)).toString()
    : readFileSync(`/boot/config-${release()}`, "utf8");
  return text.includes(`CONFIG_${feature}=y`);
}

describe("a container", () => {
  criuTest("ends with its checkpoint, and goes on where it was", async () => {
    const container = checkpoints.container(counter());
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
    const container = checkpoints.container(
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
    const container = checkpoints.container(counter());
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

    const other = checkpoints.container(counter());
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
    const container = checkpoints.container(counter());
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
      const container = checkpoints.container(shell(script));
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

describe("what cannot be", () => {
  criuTest("is refused, and the container goes on", async () => {
    const container = checkpoints.container(counter());
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
    const container = checkpoints.container(counter());
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

describe("without criu", () => {
  for (const verb of ["checkpoint", "restore"]) {
    oursOnly(`${verb} says so in one line, and changes nothing`, async () => {
      const container = checkpoints.container(counter());
      await container.run();
      await container.counts();
      const images = ["--image-path", container.images, "--bundle", container.bundle.path];
      const args = [verb, ...(verb === "restore" ? images : images.slice(0, 2))];
      const id = verb === "restore" ? `${container.id}-other` : container.id;
      const empty = { env: { PATH: box.directory("empty") } };
      const unfound = await box.runtime([...args, id], empty);
      expect(unfound).toEqual({
        status: 1,
        stdout: "",
        stderr: `bunc: ${verb} is done by criu, and there is no criu in PATH: install it (Debian: apt-get install criu)\n`,
      });
      const named = await box.runtime([...args, id], { ...empty, globals: ["--criu", "/nosuch/criu"] });
      expect(named.stderr).toContain("/nosuch/criu does not exist");
      expect(existsSync(container.images)).toBe(false);
      await container.counts();
      await container.delete();
    });
  }
});

/** A port of TCP that nobody listens on at this moment. */
function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop();
  return port;
}

criuTest(
  "--page-server: a criu elsewhere takes the memory, and the container is restored from what it has",
  async () => {
    const container = checkpoints.container(counter());
    await container.run();
    await container.counts();
    mkdirSync(container.images, { mode: 0o700 });
    const port = String(freePort());
    const pidFile = join(container.bundle.path, "server");
    const listening = ["--images-dir", container.images, "--address", "127.0.0.1", "--port", port];
    // As a daemon it returns when it listens; it ends when it has got everything.
    const daemon = ["--daemon", "--pidfile", pidFile];
    await output(["criu", "page-server", ...listening, ...daemon], { env, stdout: nothing, stderr: nothing });
    const server = Number(readFileSync(pidFile, "utf8"));
    try {
      await container.checkpoint("--page-server", `127.0.0.1:${port}`);
      await until("the page server to end", () => !isAlive(server));
    } finally {
      if (isAlive(server)) process.kill(server, "SIGKILL");
    }
    await container.restore();
    await container.counts();
    await container.delete();
  },
);
