/** `restore` where a container is not alone: in the foreground, on a terminal, with namespaces and hooks of others. */
import { describe, expect } from "bun:test";
import { chmodSync, chownSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findGroups } from "./support/cgroups.ts";
import { Checkpoints, counter, type Detached } from "./support/checkpoint.ts";
import { Running, until } from "./support/command.ts";
import { inherit, shell } from "./support/config.ts";
import { ConsoleSocket } from "./support/console.ts";
import { runtimeKind } from "./support/machine.ts";
import { OnTerminal } from "./support/pty.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("restore");
const checkpoints = new Checkpoints(box);
const criuTest = checkpoints.test.bind(checkpoints);
const { env, nothing } = checkpoints;

describe("in the foreground", () => {
  const restored = (container: Detached) => [
    ...["restore", "--bundle", container.bundle.path, "--image-path", container.images, container.id],
  ];

  // What the test's own runner calls a pipe is a socket.
  const pipes = ["bash", "--norc", "-c", 'set -o pipefail; cat | "$@" 2> >(cat >&2) | cat', "bash"];

  criuTest("restore passes the streams on, and the exit status", async () => {
    const script =
      "i=0; until test -e /go; do echo $i >> /count; i=$((i+1)); usleep 20000; done; echo at $i; cat; exit 7";
    const container = checkpoints.container(shell(script));
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
    const container = checkpoints.container(
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
    const container = checkpoints.container(
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
  const container = checkpoints.container(
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
      const container = checkpoints.container(
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
    const container = checkpoints.container(
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
    const container = checkpoints.container(
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
    const container = checkpoints.container(
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
