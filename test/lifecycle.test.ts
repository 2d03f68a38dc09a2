/** create, start, state, kill, delete: what callers rely on at every step. */
import { describe, expect } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isAlive, processStatus, statusField, until } from "./support/command.ts";
import { type Config, config, shell, sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("lifecycle");

describe("the whole life", () => {
  rootTest("created, running, stopped, gone", async () => {
    const container = await box.create(shell("echo hello; exit 7"));
    expect(await container.status()).toBe("created");
    expect(container.stdout).toBe("");
    await container.start();
    expect(await container.exit()).toBe(7);
    expect(container.stdout).toBe("hello\n");
    expect(container.stderr).toBe("");
    expect(await container.status()).toBe("stopped");
    await container.delete();
    expect((await container.call("state")).status).toBe(1);
  });

  rootTest("a running container says so, with the pid of the pid file", async () => {
    const container = await box.create(sleeper());
    await container.start();
    const state = await container.state();
    expect(state.status).toBe("running");
    expect(state.pid).toBe(container.pid);
    await container.kill("KILL");
    expect(await container.exit()).toBe(137);
    await container.delete();
  });
});

describe("create", () => {
  rootTest("leaves init as a child of the caller's subreaper", async () => {
    const container = await box.create(sleeper());
    expect(statusField(processStatus(container.pid), "PPid")).toBe(String(process.pid));
    await container.delete();
  });

  rootTest(
    "writes the pid file before it returns: digits alone, and no temporary file beside it",
    async () => {
      const container = await box.create(config());
      expect(readFileSync(container.pidFile, "utf8").trim()).toMatch(/^[1-9]\d*$/);
      expect(readdirSync(container.bundle.path).sort()).toEqual([
        "config.json",
        "pid",
        "rootfs",
        "stderr",
        "stdout",
      ]);
      await container.delete();
    },
  );

  rootTest("prints nothing", async () => {
    const container = await box.create(config());
    expect(container.stdout + container.stderr).toBe("");
    await container.delete();
  });

  rootTest(
    "takes a bundle relative to the current directory, and the current directory by default",
    async () => {
      const { path } = box.bundle(config());
      for (const flags of [["--bundle", "."], [], ["-b", `../${path.split("/").at(-1)}`]]) {
        const id = box.id();
        expect(
          await box.runtime(["create", ...flags, id], { cwd: path, stdout: 1, stderr: 2 }),
        ).toMatchObject({
          status: 0,
        });
        const { stdout } = await box.runtime(["state", id]);
        expect(JSON.parse(stdout).bundle).toBe(path);
        expect((await box.runtime(["delete", id])).status).toBe(0);
      }
    },
  );

  rootTest("refuses an id that is in use", async () => {
    const container = await box.create(config());
    const second = await box.tryCreate(config(), { id: container.id });
    expect(second.status).toBe(1);
    expect(second.stderr).toMatch(/exist|in use/);
    expect(await container.status()).toBe("created");
    await container.delete();
  });

  for (const id of ["", ".", "..", "a/b", "../escape", "a b", "a\nb", "ä"]) {
    const define = /^(a\sb|ä)$/.test(id) ? peersDiffer({ crun: "1.8 takes it" }) : rootTest;
    define(`refuses the id ${JSON.stringify(id)}`, async () => {
      const { path } = box.bundle(config());
      const result = await box.runtime(["create", "--bundle", path, "--", id]);
      expect(result.status).toBe(1);
      expect(result.stderr).not.toBe("");
    });
  }

  rootTest("takes the ids that callers make", async () => {
    for (const id of ["buildah-buildah123456789", "0123456789abcdef".repeat(4), "A_b-c.d+e"]) {
      const container = await box.create(config(), { id });
      expect((await container.state()).id).toBe(id);
      await container.delete();
    }
  });

  rootTest("takes a container without a process, which then cannot be started", async () => {
    const { process: _, ...withoutProcess } = config();
    let container: Container;
    try {
      container = await box.create(withoutProcess as Config);
    } catch (error) {
      // Peers refuse it at once, which a caller can live with; a container that starts nothing it could not.
      expect(String(error)).toMatch(/process|capabilities/i);
      return;
    }
    expect((await container.call("start")).status).toBe(1);
    await container.delete("--force");
  });
});

describe("start", () => {
  rootTest("once only", async () => {
    const container = await box.create(sleeper());
    await container.start();
    const again = await container.call("start");
    expect(again.status).toBe(1);
    expect(again.stderr).not.toBe("");
    expect(await container.status()).toBe("running");
    await container.delete("--force");
  });

  rootTest("not after the container has ended", async () => {
    const container = await box.create(config());
    await container.start();
    await container.exit();
    expect((await container.call("start")).status).toBe(1);
    await container.delete();
  });

  peersDiffer({ crun: "its words differ" })("not a container that does not exist", async () => {
    const result = await box.runtime(["start", box.id()]);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/does not exist/);
  });

  rootTest("prints nothing", async () => {
    const container = await box.create(config());
    expect(await container.call("start")).toEqual({ status: 0, stdout: "", stderr: "" });
    await container.exit();
    await container.delete();
  });
});

describe("state", () => {
  rootTest("is JSON on standard output, and nothing on standard error", async () => {
    const annotations = { "org.example.key": "value", "org.example.text": 'quotes " and \\ and é' };
    const container = await box.create(
      sleeper((result) => {
        result.annotations = annotations;
      }),
    );
    const { status, stdout, stderr } = await container.call("state");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      ociVersion: expect.stringMatching(/^1\.\d+\.\d+/),
      id: container.id,
      status: "created",
      pid: container.pid,
      bundle: container.bundle.path,
      annotations,
    });
    await container.delete();
  });

  rootTest("counts a zombie as stopped", async () => {
    const container = await box.create(config());
    await container.start();
    await container.zombie();
    expect(await container.status()).toBe("stopped");
    expect(await container.exit()).toBe(0);
    expect(await container.status()).toBe("stopped");
    await container.delete();
  });

  rootTest("is running as soon as start has returned", async () => {
    for (let round = 0; round < 5; round++) {
      const container = await box.create(sleeper());
      await container.start();
      expect(await container.status()).toBe("running");
      await container.delete("--force");
    }
  });

  peersDiffer({ crun: "its words differ" })("fails for a container that does not exist", async () => {
    const result = await box.runtime(["state", box.id()]);
    expect(result.status).toBe(1);
    expect(result.stdout).toBe("");
    expect(result.stderr).toMatch(/does not exist/);
  });
});

describe("kill", () => {
  const signals: [string[], number][] = [
    [[], 15],
    [["KILL"], 9],
    [["SIGKILL"], 9],
    [["9"], 9],
    [["TERM"], 15],
    [["SIGTERM"], 15],
    [["15"], 15],
    [["SIGUSR1"], 10],
    [["hup"], 1],
    [["34"], 34],
  ];
  for (const [args, number] of signals) {
    const define = args[0] === "hup" ? peersDiffer({ crun: "it knows capitals only" }) : rootTest;
    define(`${args[0] ?? "without a signal"} sends signal ${number}`, async () => {
      const script = `trap 'exit 3' ${number}; echo ready; while :; do sleep 1000 & wait; done`;
      const container = await box.create(number === 9 ? sleeper() : shell(script));
      await container.start();
      // A trap needs a shell that has come so far.
      await until("the trap", () => number === 9 || container.stdout === "ready\n");
      expect(await container.kill(...args)).toEqual({ status: 0, stdout: "", stderr: "" });
      expect(await container.exit()).toBe(number === 9 ? 137 : 3);
      await container.delete();
    });
  }

  peersDiffer({ crun: "1.8 wants a cgroup for it" })(
    "--all is accepted, before and after the id",
    async () => {
      for (const args of [
        (id: string) => ["kill", "--all", id, "KILL"],
        (id: string) => ["kill", "-a", id, "9"],
      ]) {
        const container = await box.create(sleeper());
        await container.start();
        expect((await box.runtime(args(container.id))).status).toBe(0);
        expect(await container.exit()).toBe(137);
        await container.delete();
      }
    },
  );

  rootTest("reaches a created container", async () => {
    const container = await box.create(sleeper());
    expect((await container.kill("KILL")).status).toBe(0);
    expect(await container.exit()).toBe(137);
    expect(await container.status()).toBe("stopped");
    await container.delete();
  });

  peersDiffer({ crun: "its words differ" })(
    "fails on a dead container, in words that containerd's shim knows",
    async () => {
      const container = await box.create(config());
      await container.start();
      for (const ended of [() => container.zombie(), () => container.exit()]) {
        await ended();
        const { status, stderr } = await container.kill("KILL");
        expect(status).toBe(1);
        expect(stderr).toMatch(/container not running|no such process|os: process already finished/);
      }
      await container.delete();
    },
  );

  rootTest("refuses signals that do not exist", async () => {
    const container = await box.create(sleeper());
    for (const signal of ["NOSUCH", "SIGNOSUCH", "-3", "1000", "9x"]) {
      const { status, stderr } = await box.runtime(["kill", container.id, "--", signal]);
      expect([signal, status, stderr === ""]).toEqual([signal, 1, false]);
    }
    expect(isAlive(container.pid)).toBe(true);
    await container.delete();
  });

  peersDiffer({ crun: "its words differ" })("fails for a container that does not exist", async () => {
    const { status, stderr } = await box.runtime(["kill", box.id(), "KILL"]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/does not exist/);
  });
});

describe("delete", () => {
  rootTest("a created container is killed first", async () => {
    const container = await box.create(sleeper());
    await container.delete();
    expect(isAlive(container.pid)).toBe(false);
    expect(existsSync(`${box.state}/${container.id}`)).toBe(false);
  });

  rootTest("refuses a running container, and leaves it running", async () => {
    const container = await box.create(sleeper());
    await container.start();
    const { status, stderr } = await box.runtime(["delete", container.id]);
    expect(status).toBe(1);
    expect(stderr).not.toBe("");
    expect(await container.status()).toBe("running");
    await container.delete("--force");
  });

  rootTest("--force kills a running container", async () => {
    const container = await box.create(sleeper());
    await container.start();
    await container.delete("-f");
    expect(isAlive(container.pid)).toBe(false);
  });

  rootTest("takes a stopped container whose init is still a zombie", async () => {
    const container = await box.create(config());
    await container.start();
    await container.zombie();
    await container.delete();
  });

  peersDiffer({ crun: "its words differ" })(
    "of a container that does not exist fails, and says that it does not exist",
    async () => {
      const { status, stderr } = await box.runtime(["delete", box.id()]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/does not exist/);
    },
  );

  rootTest("--force of a container that does not exist succeeds", async () => {
    expect((await box.runtime(["delete", "--force", box.id()])).status).toBe(0);
  });

  rootTest("the id can be used again", async () => {
    const first = await box.create(config());
    await first.delete();
    const second = await box.create(config(), { id: first.id });
    await second.delete();
  });

  rootTest("ends every process of a container that has its own pid namespace", async () => {
    const container = await box.create(shell("sleep 1234 & echo $!; sleep 1000"));
    await container.start();
    const children = await until("a child of init", () => {
      const list = readFileSync(`/proc/${container.pid}/task/${container.pid}/children`, "utf8").trim();
      return list === "" ? undefined : list.split(" ").map(Number);
    });
    await container.delete("--force");
    expect(children.map(isAlive)).toEqual(children.map(() => false));
  });
});

describe("ids and directories", () => {
  peersDiffer({ runc: "it keeps its state root 0711", crun: "it keeps its state root 0711" })(
    "a state directory that the runtime makes is its owner's alone",
    async () => {
      const container = await box.create(config());
      const { mode } = await Bun.file(`${box.state}/${container.id}`).stat();
      expect((mode & 0o077).toString(8)).toBe("0");
      await container.delete();
    },
  );
});
