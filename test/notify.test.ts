/** NOTIFY_SOCKET: a service manager that waits for the container to say that it is ready. sd_notify(3). */
import { afterEach, describe, expect } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { until } from "./support/command.ts";
import { type Config, config } from "./support/config.ts";
import { findProgram } from "./support/machine.ts";
import { NotifySocket } from "./support/notify.ts";
import { oursOnly, peersDiffer, testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("notify");
const perl = findProgram("perl");
const perlTest = testIf(perl !== undefined, "needs perl");

let sockets: NotifySocket[] = [];
afterEach(() => {
  for (const socket of sockets) socket.close();
  sockets = [];
});

function listen(name: string): NotifySocket {
  const socket = new NotifySocket(name);
  sockets.push(socket);
  return socket;
}

const caller = (name: string) => ["env", `NOTIFY_SOCKET=${name}`];

/** Perl's `send` to NOTIFY_SOCKET: busybox has nothing that sends datagrams to a path. */
const send = (text: string) =>
  `perl -MSocket -e 'socket(S,AF_UNIX,SOCK_DGRAM,0)&&connect(S,sockaddr_un($ENV{NOTIFY_SOCKET}))&&syswrite(S,"${text}")||die $!'`;

/** Runs a shell script where the machine's perl is. */
function service(script: string, change: (config: Config) => void = () => {}): Config {
  return config((result) => {
    result.process.args = ["sh", "-c", script];
    result.process.env = ["PATH=/bin:/usr/bin"];
    for (const directory of ["/usr", "/lib", "/lib64"].filter((path) => existsSync(path))) {
      result.mounts?.push({ destination: directory, source: directory, options: ["rbind", "ro"] });
    }
    change(result);
  });
}

describe("start", () => {
  perlTest("waits for READY=1 and tells the caller, with init's pid", async () => {
    const socket = listen(join(box.path, "start.sock"));
    const wrap = caller(socket.name);
    const container = await box.create(
      service(`${send("STATUS=wait")}; until [ -e /go ]; do sleep 0.05; done; ${send("READY=1")}; sleep 60`),
      { wrap },
    );
    const start = await box.spawn(["start", container.id], { wrap });
    await until("the process to run", async () => (await container.status()) === "running");
    await Bun.sleep(200);
    expect(socket.variables).toEqual([]);
    await Bun.write(join(container.bundle.rootfs, "go"), "");
    expect(await start.finished).toMatchObject({ status: 0, stderr: "" });
    expect(await socket.ready()).toEqual([`MAINPID=${container.pid}`, "READY=1"]);
    await container.delete("--force");
    expect(readdirSync(box.state)).not.toContain(container.id);
  });

  perlTest("returns when the container ends and was never ready", async () => {
    const socket = listen(join(box.path, "end.sock"));
    const wrap = caller(socket.name);
    const container = await box.create(service(`${send("READY=0")}; exit 4`), { wrap });
    expect((await box.runtime(["start", container.id], { wrap })).status).toBe(0);
    expect(await container.exit()).toBe(4);
    expect(socket.variables.filter((line) => line !== "READY=0" && !/^MAINPID/.test(line))).toEqual([]);
    await container.delete();
  });

  perlTest("does not wait when its own caller wants nothing", async () => {
    const socket = listen(join(box.path, "none.sock"));
    const container = await box.create(service("sleep 60"), { wrap: caller(socket.name) });
    await container.start();
    await container.delete("--force");
  });
});

describe("run", () => {
  peersDiffer({ crun: "it sends init's pid" })(
    "in the foreground names itself as the main process, and passes the status on",
    async () => {
      const socket = listen(join(box.path, "run.sock"));
      const running = await box.running(service(`${send("READY=1")}; sleep 1; exit 3`), {
        wrap: caller(socket.name),
      });
      const variables = await socket.ready();
      expect(variables).toEqual([`MAINPID=${running.pid}`, "READY=1"]);
      expect((await running.finished).status).toBe(3);
      expect(socket.variables).toEqual(variables);
    },
  );

  perlTest("--detach waits, and names init", async () => {
    const socket = listen(join(box.path, "detach.sock"));
    const id = box.id();
    const pidFile = join(box.path, "detach.pid");
    const { path } = box.bundle(service(`${send("READY=1")}; sleep 60`));
    const args = ["run", "--detach", "--pid-file", pidFile, "--bundle", path, id];
    const file = Bun.file(join(box.path, "detach.out"));
    await Bun.write(file, "");
    const wrap = [...caller(socket.name), "sh", "-c", `exec "$@" >${file.name} 2>&1`, "sh"];
    expect(await box.runtime(args, { wrap })).toMatchObject({ status: 0 });
    expect(await socket.ready()).toEqual([`MAINPID=${await Bun.file(pidFile).text()}`, "READY=1"]);
    await box.runtime(["delete", "--force", id]);
  });

  oursOnly("in the foreground goes on forwarding signals while the container is not ready", async () => {
    const socket = listen(join(box.path, "signal.sock"));
    const running = await box.running(service("trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done"), {
      wrap: caller(socket.name),
    });
    await until("the trap", async () =>
      (await box.runtime(["state", running.id])).stdout.includes("running"),
    );
    await Bun.sleep(300);
    process.kill(running.pid, "SIGTERM");
    expect((await running.finished).status).toBe(7);
    expect(socket.variables).toEqual([]);
  });

  perlTest("reaches an abstract socket", async () => {
    const socket = listen(`@bunc-test-notify-${process.pid}`);
    // A last message of a container that is gone at once.
    await box.run(service(`${send("READY=1")}; sleep 0.3`), { wrap: caller(socket.name) });
    expect(await socket.ready()).toContain("READY=1");
  });

  perlTest("lets any user of the container send, and nobody else write there", async () => {
    const socket = listen(join(box.path, "user.sock"));
    const { stdout } = await box.run(
      service(`touch /run/notify/x 2>/dev/null || echo refused; ${send("READY=1")}; sleep 0.3`, (result) => {
        result.process.user = { uid: 1000, gid: 1000 };
      }),
      { wrap: caller(socket.name) },
    );
    expect(stdout).toBe("refused\n");
    expect(await socket.ready()).toContain("READY=1");
  });

  oursOnly("of a container that is ready and gone at once tells it", async () => {
    const socket = listen(join(box.path, "once.sock"));
    await box.run(service(`exec ${send("X=1\\nREADY=1")}`), { wrap: caller(socket.name) });
    expect(socket.variables).toContain("READY=1");
  });
});

describe("without NOTIFY_SOCKET", () => {
  perlTest("there is no trace of it", async () => {
    const { stdout } = await box.run(service("env; ls -d /run/notify 2>&1"), { wrap: caller("") });
    expect(stdout).not.toContain("NOTIFY_SOCKET");
    expect(stdout).toContain("No such file");
  });
});
