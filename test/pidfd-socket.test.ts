/** --pidfd-socket: the caller gets a pidfd of the process, which no later process with its number can be mistaken for. */
import { describe, expect } from "bun:test";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./support/command.ts";
import { config, sleeper } from "./support/config.ts";
import { ConsoleSocket } from "./support/console.ts";
import { reap } from "./support/libc.ts";
import { runtimeKind } from "./support/machine.ts";
import { oursOnly, peersDiffer } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("pidfd");
const pidfdTest = peersDiffer({
  runc: "runc has the option since 1.2",
  crun: "it has an annotation in its place",
});

/** Whose pidfd was sent. */
async function receive(socket: ConsoleSocket): Promise<number> {
  const received = await socket.accept();
  const { fd } = received;
  const pid = /^Pid:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
  received.close();
  return Number(pid);
}

async function listening<T>(use: (socket: ConsoleSocket) => Promise<T>): Promise<T> {
  const socket = new ConsoleSocket(join(box.directory("socket"), "s"));
  try {
    return await use(socket);
  } finally {
    socket.close();
  }
}

describe("a pidfd of", () => {
  pidfdTest("init, from create", async () => {
    await listening(async (socket) => {
      const container = await box.create(sleeper(), { flags: ["--pidfd-socket", socket.path] });
      expect(await receive(socket)).toBe(container.pid);
    });
  });

  pidfdTest("init, from run", async () => {
    await listening(async (socket) => {
      const flags = ["--pidfd-socket", socket.path, "--detach"];
      const { status } = await box.run(config(), { flags });
      expect(status).toBe(0);
      expect(await receive(socket)).not.toBe(0);
    });
  });

  pidfdTest("the process, from exec", async () => {
    const container = await box.create(sleeper());
    await container.start();
    await listening(async (socket) => {
      const pidFile = join(container.bundle.path, "exec-pid");
      const flags = ["--pidfd-socket", socket.path, "--pid-file", pidFile, "--detach"];
      // It outlives the call: a pipe would never be read to its end.
      const nowhere = openSync("/dev/null", "r+");
      const output = { stdout: nowhere, stderr: nowhere };
      const { status } = await box.runtime(["exec", ...flags, container.id, "sleep", "1000"], output);
      closeSync(nowhere);
      expect(status).toBe(0);
      const pid = Number(readFileSync(pidFile, "utf8"));
      expect(await receive(socket)).toBe(pid);
      // Its pid namespace, and with it init, cannot end before this parent has waited for it.
      process.kill(pid, "SIGKILL");
      expect(await until("its end", () => reap(pid))).toBe(137);
    });
  });

  oursOnly("init, by crun's annotation", async () => {
    await listening(async (socket) => {
      const annotated = sleeper((result) => {
        result.annotations = { "run.oci.pidfd_receiver": socket.path };
      });
      const container = await box.create(annotated);
      expect(await receive(socket)).toBe(container.pid);
    });
  });
});

pidfdTest("where nobody listens, create and exec fail, and nothing is left", async () => {
  const nobody = join(box.path, "nobody-listens");
  const { status, stderr, id } = await box.tryCreate(sleeper(), { flags: ["--pidfd-socket", nobody] });
  expect(status).toBe(1);
  if (runtimeKind === "bunc")
    expect(stderr).toContain(`--pidfd-socket: the pidfd cannot be sent to ${nobody}`);
  expect(existsSync(join(box.state, id))).toBe(false);
  const container = await box.create(sleeper());
  await container.start();
  const failed = await box.runtime(["exec", "--pidfd-socket", nobody, container.id, "true"]);
  expect(failed.status).toBe(255);
});
