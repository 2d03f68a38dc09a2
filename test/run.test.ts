/** `run`: create, start and wait in one call. */
import { describe, expect } from "bun:test";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { isAlive, output, processStatus, statusField, until } from "./support/command.ts";
import { config, inherit, shell, sleeper } from "./support/config.ts";
import { reap } from "./support/libc.ts";
import { peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("run");

describe("exit status", () => {
  for (const status of [0, 1, 7, 126, 255]) {
    rootTest(`${status} is passed on`, async () => {
      expect(await box.run(shell(`exit ${status}`))).toEqual({ status, stdout: "", stderr: "" });
    });
  }

  rootTest("of a program killed by a signal is 128 + n", async () => {
    const container = await box.running(sleeper());
    await until("the container", async () => {
      const { stdout } = await box.runtime(["state", container.id]);
      return stdout.includes('"running"');
    });
    expect((await box.runtime(["kill", container.id, "KILL"])).status).toBe(0);
    expect((await container.finished).status).toBe(137);
  });

  rootTest("of a program that signals itself, in the caller's pid namespace, is 128 + n", async () => {
    const suicide = shell("kill -TERM $$", (result) => inherit(result, "pid"));
    expect((await box.run(suicide)).status).toBe(143);
  });

  rootTest("is 1 when the container cannot be created, and nothing is left of it", async () => {
    const result = await box.running(
      config((changed) => changed.mounts.push({ destination: "/x", source: "/nosuch" })),
    );
    const { status, stderr } = await result.finished;
    expect(status).toBe(1);
    expect(stderr).not.toBe("");
    expect((await box.runtime(["state", result.id])).status).toBe(1);
  });
});

describe("standard input and output", () => {
  rootTest("are the container's own, byte for byte", async () => {
    const text = `${"0123456789abcdef".repeat(64)}\n`.repeat(1024);
    const { status, stdout, stderr } = await box.run(shell("tee /tmp/copy; cat /tmp/copy >&2"), {
      stdin: text,
    });
    expect(status).toBe(0);
    expect(stdout.length).toBe(text.length);
    expect(stdout === text && stderr === text).toBe(true);
  });

  rootTest("the end of standard input reaches the container", async () => {
    const container = await box.running(
      config((result) => (result.process.args = ["cat"])),
      { stdin: "pipe" },
    );
    container.write("some text\n");
    await Bun.sleep(100);
    container.closeInput();
    expect(await container.finished).toEqual({ status: 0, stdout: "some text\n", stderr: "" });
  });

  rootTest("an open standard input that nobody reads does not keep run from returning", async () => {
    const container = await box.running(config(), { stdin: "pipe" });
    expect((await container.finished).status).toBe(0);
  });

  rootTest("/dev/null as standard input is an end of file at once", async () => {
    const { stdout } = await box.run(shell("cat; echo done"));
    expect(stdout).toBe("done\n");
  });
});

describe("signals to the runtime are forwarded", () => {
  for (const [name, number] of [
    ["SIGTERM", 15],
    ["SIGINT", 2],
    ["SIGHUP", 1],
    ["SIGUSR1", 10],
    ["SIGUSR2", 12],
    ["SIGALRM", 14],
    ["SIGVTALRM", 26],
    ["SIGIO", 29],
    // systemd's for halt.
    ["SIGRTMIN+3", 37],
    ["SIGRTMAX", 64],
  ] as const) {
    rootTest(name, async () => {
      const container = await box.running(
        shell(
          `trap 'echo caught; exit 42' ${number}; echo ready > /ready; while :; do sleep 1000 & wait; done`,
        ),
      );
      const ready = `${box.path}/${container.argv
        .find((word) => word.includes("/bundle-"))
        ?.split("/")
        .at(-1)}/rootfs/ready`;
      await until("the trap", () => existsSync(ready));
      // Bun's own kill knows no real-time signals.
      expect(await output(["kill", `-${number}`, String(container.pid)])).toBe("");
      expect(await container.finished).toEqual({ status: 42, stdout: "caught\n", stderr: "" });
    });
  }

  rootTest(
    "SIGTERM to a program with default dispositions and the caller's pid namespace ends it",
    async () => {
      const container = await box.running(sleeper((result) => inherit(result, "pid")));
      await until("the container", async () =>
        (await box.runtime(["state", container.id])).stdout.includes('"running"'),
      );
      container.kill("SIGTERM");
      expect((await container.finished).status).toBe(143);
    },
  );
});

describe("--detach", () => {
  peersDiffer({ crun: "it keeps a process of its own in between" })(
    "returns while the container runs, as a child of the caller's subreaper",
    async () => {
      const id = box.id();
      const { path } = box.bundle(sleeper());
      const file = openSync(`${path}/out`, "a+");
      const args = ["run", "--detach", "--pid-file", `${path}/pid`, "--bundle", path, id];
      const { status } = await box.runtime(args, { stdout: file, stderr: file });
      closeSync(file);
      expect([status, readFileSync(`${path}/out`, "utf8")]).toEqual([0, ""]);
      const pid = Number(readFileSync(`${path}/pid`, "utf8"));
      expect(statusField(processStatus(pid), "PPid")).toBe(String(process.pid));
      expect(JSON.parse((await box.runtime(["state", id])).stdout)).toMatchObject({ status: "running", pid });
      expect((await box.runtime(["delete", "--force", id])).status).toBe(0);
      expect(isAlive(pid)).toBe(false);
      expect(await until("init", () => reap(pid))).toBe(137);
    },
  );
});

describe("what is left", () => {
  rootTest("nothing: the container is deleted when it has ended", async () => {
    const container = await box.running(config());
    await container.finished;
    const { status, stderr } = await box.runtime(["state", container.id]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/exist|No such file/);
    expect(existsSync(`${box.state}/${container.id}`)).toBe(false);
  });

  rootTest("the pid file, when one was asked for", async () => {
    const file = `${box.path}/foreground.pid`;
    const { stdout } = await box.run(
      shell("readlink /proc/self", (result) => inherit(result, "pid")),
      { flags: ["--pid-file", file] },
    );
    // The shell executes the last command itself, or forks for it.
    expect(Number(readFileSync(file, "utf8"))).toBeLessThanOrEqual(Number(stdout));
  });

  rootTest("no process of the container", async () => {
    const container = await box.running(shell("sleep 4321 & sleep 4321 & exit 0"));
    expect((await container.finished).status).toBe(0);
  });
});
