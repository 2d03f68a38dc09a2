/** podman's own way to containers: every command is given to bunc and to runc, and does the same. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { command, type Finished, until } from "./support/command.ts";
import { findProgram, hasProgram, isRoot, runtimePath } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { Podman } from "./support/podman.ts";
import { workspace } from "./support/workspace.ts";

const runc = findProgram("runc");
const possible = isRoot && hasProgram("podman") && hasProgram("conmon") && runc !== undefined;
const podmanTest = testIf(possible, "needs podman, conmon and runc");

// Before the workspace is removed: hooks are run in the order in which they are registered.
afterAll(async () => {
  if (possible) for (const podman of both) await podman.close();
}, 60_000);

const box = workspace("podman");
const ours = new Podman(box, runtimePath);
const theirs = new Podman(box, runc ?? "");
const both = [ours, theirs];

beforeAll(async () => {
  if (!possible) return;
  const { rootfs } = box.bundle();
  for (const podman of both) {
    await podman.import(rootfs);
    await podman.output([
      "run",
      "--detach",
      "--name",
      "c",
      "--network",
      "none",
      podman.image,
      "sleep",
      "1000",
    ]);
  }
}, 60_000);

/** What a command does with both; the runtime's name in messages is left out, and so are ids. */
async function compare(args: string[], stdin?: string): Promise<Finished> {
  const [mine, other] = await Promise.all(
    both.map((podman) => podman.call(args, stdin === undefined ? {} : { stdin })),
  );
  if (!mine || !other) throw new Error("nothing to compare");
  expect([args, mine.status, mine.stdout]).toEqual([args, other.status, other.stdout]);
  return mine;
}

const sh = (script: string): string[] => ["sh", "-c", script];

describe("run", () => {
  const run = (...args: string[]) => ["run", "--rm", "--network", "none", ...args];

  podmanTest("output, input and status", async () => {
    const { image } = ours;
    expect(await compare(run(image, "echo", "hello"))).toMatchObject({ status: 0, stdout: "hello\n" });
    expect(await compare(run("-i", image, "cat"), "input")).toMatchObject({ status: 0, stdout: "input" });
    expect(await compare(run(image, ...sh("exit 7")))).toMatchObject({ status: 7 });
  });

  podmanTest("a command that is missing is 127, one that cannot be executed 126", async () => {
    expect((await compare(run(ours.image, "nope"))).status).toBe(127);
    expect((await compare(run(ours.image, "/etc/passwd"))).status).toBe(126);
  });

  podmanTest("what the process is", async () => {
    const shown = sh(
      "id; umask; ulimit -Hn; grep -E 'Cap|NoNew|Seccomp|Groups' /proc/self/status; ls /dev; pwd",
    );
    const { status } = await compare(
      run("--user", "1000:1000", "--workdir", "/home/somebody", ours.image, ...shown),
    );
    expect(status).toBe(0);
    await compare(run("--privileged", ours.image, "grep", "Cap", "/proc/self/status"));
    await compare(run("--cap-add", "NET_ADMIN", "--security-opt", "no-new-privileges", ours.image, ...shown));
  });

  podmanTest("limits", async () => {
    const shown = await compare(run("--pids-limit", "40", "--memory", "64m", ours.image, ...sh("echo ok")));
    expect(shown.stdout).toEndWith("ok\n");
  });
});

describe("exec", () => {
  const exec = (...args: string[]) => ["exec", ...args];

  podmanTest("output, input and status", async () => {
    expect(await compare(exec("c", "echo", "hello"))).toMatchObject({ status: 0, stdout: "hello\n" });
    expect(await compare(exec("-i", "c", "cat"), "input")).toMatchObject({ status: 0, stdout: "input" });
    expect(await compare(exec("c", ...sh("exit 7")))).toMatchObject({ status: 7 });
    expect(await compare(exec("c", ...sh("kill -KILL $$")))).toMatchObject({ status: 137 });
  });

  podmanTest("a command that is missing is 127, one that cannot be executed 126", async () => {
    expect((await compare(exec("c", "nope"))).status).toBe(127);
    expect((await compare(exec("c", "/etc/passwd"))).status).toBe(126);
  });

  podmanTest("what the process is", async () => {
    const shown = sh(
      "id; pwd; echo $A $HOME; umask; ulimit -Hn; grep -E 'Cap|NoNew|Seccomp|Groups' /proc/self/status",
    );
    await compare(exec("c", ...shown));
    await compare(exec("--user", "somebody", "--workdir", "/tmp", "--env", "A=b", "c", ...shown));
    await compare(exec("--privileged", "c", ...shown));
  });

  podmanTest("a working directory that is missing", async () => {
    expect((await compare(exec("--workdir", "/missing", "c", "true"))).status).not.toBe(0);
  });

  podmanTest("detached", async () => {
    for (const podman of both) {
      await podman.output(exec("--detach", "c", "touch", "/tmp/detached"));
      await until("the file", async () => (await podman.call(exec("c", "ls", "/tmp/detached"))).status === 0);
    }
  });

  podmanTest("descriptors are preserved", async () => {
    for (const podman of both) {
      const argv = podman.argv(exec("--preserve-fds", "2", "c", ...sh("cat <&3; cat <&4")));
      const script = 'exec 3</etc/hostname 4</etc/hostname; exec "$@"';
      const { stdout, stderr } = await command(["sh", "-c", script, "sh", ...argv], { env: podman.env });
      expect([stderr, stdout.split("\n").length]).toEqual(["", 3]);
    }
  });

  podmanTest("a terminal, its size, and its status", async () => {
    for (const podman of both) {
      const terminal = podman.onTerminal(exec("-it", "c", ...sh("tty; read x; stty size; exit $x")));
      await terminal.waitFor(/\/dev\/pts\/\d+/);
      terminal.write("5\n");
      await terminal.waitFor("30 90");
      expect(await terminal.exit()).toBe(5);
    }
  });
});

describe("the end", () => {
  podmanTest("stop, start, kill and rm", async () => {
    const trap = sh("trap 'exit 3' TERM; echo ready; while :; do sleep 0.1; done");
    // No number: podman takes the beginning of another container's id for a name.
    const name = "ending";
    for (const podman of both) {
      await podman.output(["run", "--detach", "--name", name, "--network", "none", podman.image, ...trap]);
      await until("the trap", async () => (await podman.output(["logs", name])).includes("ready"));
      await podman.output(["stop", "--time", "10", name]);
      expect(await podman.output(["wait", name])).toBe("3\n");
      expect((await podman.call(["exec", name, "true"])).status).toBe(255);
      await podman.output(["start", name]);
      await podman.output(["kill", name]);
      expect(await podman.output(["wait", name])).toBe("137\n");
      await podman.output(["rm", name]);
      expect((await podman.call(["rm", name])).status).toBe(1);
    }
  });
});
