/** `exec`: a further process in a container. exec(8) of runc; runtime-spec has no word on it. */
import { afterAll, describe, expect } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { kill as signalProcess } from "node:process";
import { controllerRoot, groupsOf, unifiedRoot } from "./support/cgroups.ts";
import { type CommandOptions, type Finished, isAlive, statusField, until } from "./support/command.ts";
import { type Change, rootless, sleeper } from "./support/config.ts";
import { ConsoleSocket } from "./support/console.ts";
import type { Container } from "./support/container.ts";
import { reap } from "./support/libc.ts";
import { runtimeKind, runtimePath } from "./support/machine.ts";
import { oursOnly, peersDiffer, rootTest } from "./support/peers.ts";
import { OnTerminal } from "./support/pty.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("exec");
const failure = runtimeKind === "crun" ? 1 : 255;

async function start(change: Change = () => {}): Promise<Container> {
  const container = await box.create(sleeper(change));
  await container.start();
  return container;
}

let running: Promise<Container> | undefined;
/** One that the tests share that leave nothing in it. */
function shared(): Promise<Container> {
  running ??= start((config) => {
    config.process.env = ["PATH=/bin", "FROM=config"];
    config.process.cwd = "/tmp";
  });
  return running;
}

type Where = Container | Promise<Container>;

async function exec(
  where: Where,
  args: string[],
  flags: string[] = [],
  options: CommandOptions = {},
): Promise<Finished> {
  const { id } = await where;
  return box.runtime(["exec", ...flags, id, ...args], options);
}

async function output(
  where: Where,
  args: string[],
  flags: string[] = [],
  options: CommandOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await exec(where, args, flags, options);
  if (status !== 0) throw new Error(`exec: exit status ${status}: ${stderr}`);
  return stdout;
}

const sh = (script: string): string[] => ["sh", "-c", script];

describe("the process", () => {
  rootTest("is in the container's namespaces, root and cgroups", async () => {
    const container = await shared();
    const shown = await output(
      container,
      sh("for ns in /proc/self/ns/*; do readlink $ns; done && cat /proc/self/cgroup && ls /bin/busybox"),
    );
    for (const name of ["ipc", "mnt", "net", "pid", "uts"]) {
      expect(shown).toContain(readlinkSync(`/proc/${container.pid}/ns/${name}`));
    }
    const process = await container.workspace.spawn(["exec", container.id, "sleep", "100"]);
    const pid = await until("the process", () => childOf(process.pid, "sleep"));
    expect([...groupsOf(pid)]).toEqual([...groupsOf(container.pid)]);
    // Not exec itself: the process would become a zombie of this one, and the container could not end before it is reaped.
    signalProcess(pid, "SIGKILL");
    expect((await process.finished).status).toBe(137);
  });

  rootTest("gets the caller's streams, and its status is the command's", async () => {
    const result = await exec(shared(), sh("cat; echo err >&2; exit 7"), [], { stdin: "in" });
    expect(result).toMatchObject({ status: 7, stdout: "in" });
    expect(result.stderr).toContain("err\n");
  });

  rootTest("that a signal ends has status 128 + n", async () => {
    expect((await exec(shared(), sh("kill -KILL $$"))).status).toBe(137);
  });

  rootTest(
    "has the environment, directory and user of config.json, unless options say otherwise",
    async () => {
      const plain = await output(shared(), sh('echo "$FROM $HOME $PWD $(id -u)"'));
      expect(plain).toBe("config /root /tmp 0\n");
      const flags = ["--env", "FROM=option", "--env", "MORE=a=b", "--cwd", "/root", "--user", "1000:1000"];
      const changed = await output(shared(), sh('echo "$FROM $MORE $PWD $(id -u):$(id -g) $HOME"'), flags);
      expect(changed).toBe("option a=b /root 1000:1000 /home/somebody\n");
    },
  );

  rootTest("gets every word after the container untouched", async () => {
    expect(await output(shared(), ["echo", "--help", "-d", "--", "-x"])).toBe("--help -d -- -x\n");
  });

  rootTest("-u 1 is user 1 (CVE-2026-30892)", async () => {
    expect(await output(shared(), ["id", "-u"], ["-u", "1"])).toBe("1\n");
    for (const user of ["1x", "", "root", "-1", "4294967295"]) {
      const { status, stdout } = await exec(shared(), ["id", "-u"], [`--user=${user}`]);
      if (user === "" && runtimeKind !== "bunc") continue;
      if (status === 0) expect(runtimeKind).not.toBe("bunc");
      else expect(stdout).toBe("");
    }
  });

  rootTest("has the groups of --additional-gids", async () => {
    if (runtimeKind === "crun") return;
    const shown = await output(shared(), ["cat", "/proc/self/status"], ["-g", "7", "-g", "8"]);
    expect(statusField(shown, "Groups").trim()).toBe("7 8");
  });

  rootTest("gets --cap in three sets, and nothing inheritable (CVE-2022-29162)", async () => {
    const status = await output(shared(), ["cat", "/proc/self/status"], ["--cap", "CAP_SYS_CHROOT"]);
    const chroot = 1n << 18n;
    for (const set of ["CapBnd", "CapPrm", "CapEff"]) {
      expect(BigInt(`0x${statusField(status, set)}`) & chroot).toBe(chroot);
    }
    expect(BigInt(`0x${statusField(status, "CapInh")}`)).toBe(0n);
    const plain = await output(shared(), ["cat", "/proc/self/status"]);
    expect(BigInt(`0x${statusField(plain, "CapEff")}`) & chroot).toBe(0n);
    expect(BigInt(`0x${statusField(plain, "CapInh")}`)).toBe(0n);
  });

  rootTest("has no_new_privs when that is asked for", async () => {
    const flags = ["--no-new-privs"];
    expect(statusField(await output(shared(), ["cat", "/proc/self/status"]), "NoNewPrivs")).toBe("0");
    expect(statusField(await output(shared(), ["cat", "/proc/self/status"], flags), "NoNewPrivs")).toBe("1");
  });

  rootTest("has no descriptors but its streams, and those that are preserved", async () => {
    const list = sh("ls /proc/$$/fd; true");
    const leak = ["sh", "-c", 'exec 3</dev/null 4</dev/null 7</; exec "$@"', "sh"];
    const { id } = await shared();
    const call = async (...flags: string[]) =>
      (await box.runtime(["exec", ...flags, id, ...list], { wrap: leak })).stdout;
    expect(await call()).toBe("0\n1\n2\n");
    expect(await call("--preserve-fds", "2")).toBe("0\n1\n2\n3\n4\n");
  });

  oursOnly("that a descriptor was promised to which nobody passed is not run", async () => {
    const { status, stderr } = await exec(shared(), ["true"], ["--preserve-fds", "9"]);
    expect(status).toBe(255);
    expect(stderr).toContain("--preserve-fds 9 promises descriptor");
  });

  rootTest("starts with every signal at its default, and none blocked", async () => {
    const status = await output(shared(), ["cat", "/proc/self/status"]);
    for (const name of ["SigBlk", "SigIgn"]) expect(BigInt(`0x${statusField(status, name)}`)).toBe(0n);
  });

  rootTest("has the limits and the umask of config.json", async () => {
    const container = await start((config) => {
      config.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 77, hard: 99 }];
      config.process.user.umask = 0o27;
    });
    const shown = await output(container, sh("ulimit -n; ulimit -Hn; umask"));
    // runc 1.1.5 has 022 for every process that it adds, crun 1.8 its own limits.
    const expected = { bunc: "77\n99\n0027\n", runc: "77\n99\n0022\n", crun: shown };
    expect(shown).toBe(expected[runtimeKind]);
  });

  rootTest("is under the container's seccomp filter", async () => {
    const container = await start((config) => {
      config.linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28 }],
      };
    });
    // runc reads the bundle again, we do not.
    if (runtimeKind === "bunc") writeFileSync(join(container.bundle.path, "config.json"), "{}");
    const { status, stderr } = await exec(container, ["mkdir", "/tmp/x"]);
    expect(status).toBe(1);
    expect(stderr).toContain("No space left");
  });

  rootTest("is given by a document", async () => {
    const path = join(box.directory("process"), "process.json");
    const process = {
      user: { uid: 1000, gid: 1000, additionalGids: [9] },
      args: ["sh", "-c", "id -u; pwd; echo $A; cat /proc/self/status"],
      env: ["PATH=/bin", "A=b"],
      cwd: "/tmp",
      noNewPrivileges: true,
      capabilities: { bounding: ["CAP_CHOWN"] },
      rlimits: [{ type: "RLIMIT_CORE", soft: 0, hard: 0 }],
    };
    writeFileSync(path, JSON.stringify(process));
    const { id } = await shared();
    const { status, stdout, stderr } = await box.runtime(["exec", "--process", path, id]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toStartWith("1000\n/tmp\nb\n");
    expect(statusField(stdout, "Groups").trim()).toBe("9");
    expect(statusField(stdout, "NoNewPrivs")).toBe("1");
    expect(BigInt(`0x${statusField(stdout, "CapBnd")}`)).toBe(1n);
  });
});

/** A child of a process, by the name of its program. */
function childOf(parent: number, name: string): number | undefined {
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry) || !existsSync(`/proc/${entry}/stat`)) continue;
    try {
      const [, command = "", rest = ""] =
        /\((.*)\) (.*)/.exec(readFileSync(`/proc/${entry}/stat`, "utf8")) ?? [];
      if (command === name && Number(rest.split(" ")[1]) === parent) return Number(entry);
    } catch {
      // It has ended meanwhile.
    }
  }
  return undefined;
}

describe("detached", () => {
  // Otherwise it holds the test's pipes.
  const nowhere = openSync("/dev/null", "r+");
  const quiet = { stdout: nowhere, stderr: nowhere };
  afterAll(() => closeSync(nowhere));

  rootTest("it is a child of the caller, and its pid is in the file before exec returns", async () => {
    const pidFile = join(box.directory("pid"), "pid");
    const result = await exec(shared(), ["sleep", "100"], ["-d", "--pid-file", pidFile], quiet);
    expect(result.status).toBe(0);
    const pid = Number(readFileSync(pidFile, "utf8"));
    expect(isAlive(pid)).toBe(true);
    // runc returns a moment before that.
    const line = () => readFileSync(`/proc/${pid}/cmdline`, "utf8");
    if (runtimeKind === "bunc") expect(line()).toBe("sleep\x00100\x00");
    else await until("its execution", () => line() === "sleep\x00100\x00");
    expect(statusField(readFileSync(`/proc/${pid}/status`, "utf8"), "PPid")).toBe(String(process.pid));
    process.kill(pid, "SIGTERM");
    expect(await until("its end", () => reap(pid))).toBe(143);
  });

  rootTest("its terminal goes to the console socket", async () => {
    const socket = new ConsoleSocket(join(box.directory("console"), "socket"));
    const pidFile = join(box.directory("pid"), "pid");
    const flags = ["--tty", "-d", "--pid-file", pidFile, "--console-socket", socket.path];
    const [result, console] = await Promise.all([
      exec(shared(), sh("tty; stty size; read line; echo got $line"), flags, quiet),
      socket.accept(),
    ]);
    expect(result.status).toBe(0);
    await console.waitFor(/\/dev\/pts\/\d+/);
    console.write("word\n");
    await console.waitFor("got word");
    expect(await until("its end", () => reap(Number(readFileSync(pidFile, "utf8"))))).toBe(0);
    console.close();
    socket.close();
  });

  oursOnly("it needs a console socket for a terminal", async () => {
    const { status, stderr } = await exec(shared(), ["true"], ["-d", "-t"]);
    expect(status).toBe(255);
    expect(stderr).toContain("--console-socket must name the socket");
    const other = await exec(shared(), ["true"], ["--console-socket", "/nowhere"]);
    expect(other.stderr).toContain("so --console-socket would get nothing");
  });
});

describe("in the foreground", () => {
  peersDiffer({ runc: "sets the size when the process runs already", crun: "likewise" })(
    "a terminal works, has the size of the caller's, and gives its status",
    async () => {
      const { id } = await shared();
      const terminal = new OnTerminal(
        box.argv(["exec", "-t", id, "sh", "-c", "tty; stty size; read x; exit $x"]),
        {
          rows: 33,
          columns: 77,
        },
      );
      await terminal.waitFor(/\/dev\/pts\/\d+/);
      await terminal.waitFor("33 77");
      terminal.write("5\n");
      expect(await terminal.exit()).toBe(5);
    },
  );

  rootTest("signals are passed on", async () => {
    const { id } = await shared();
    const running = await box.spawn([
      "exec",
      id,
      ...sh("trap 'exit 9' TERM; echo up; while :; do sleep 0.1; done"),
    ]);
    await until("the process", () => childOf(running.pid, "sh"));
    await Bun.sleep(200);
    running.kill("SIGTERM");
    expect((await running.finished).status).toBe(9);
  });
});

describe("errors", () => {
  // podman tells 126 from 127 by these words.
  for (const [program, message] of [
    ["nope", 'exec: "nope": executable file not found in $PATH'],
    ["/nope", 'exec: "/nope": no such file or directory'],
    ["/etc/passwd", 'exec: "/etc/passwd": permission denied'],
  ] as const) {
    rootTest(`${program} cannot be executed`, async () => {
      const { status, stderr } = await exec(shared(), [program]);
      expect(status).toBe(failure);
      const said = stderr.replaceAll('\\"', '"').replace("stat /nope: ", "");
      if (runtimeKind !== "crun") expect(said).toContain(message);
    });
  }

  rootTest("a failure leaves no pid file and no process", async () => {
    const container = await start();
    const pidFile = join(box.directory("pid"), "pid");
    for (const args of [["/nope"], ["/etc/passwd"]]) {
      const { status } = await exec(container, args, ["--pid-file", pidFile]);
      expect(status).toBe(failure);
    }
    expect(existsSync(pidFile)).toBe(false);
    expect(await output(container, sh("echo /proc/[0-9]*"))).toMatch(/^\/proc\/1 \/proc\/\d+\n$/);
  });

  rootTest("a directory that is missing is not made", async () => {
    const { status, stderr } = await exec(shared(), ["true"], ["--cwd", "/missing"]);
    if (runtimeKind === "bunc") {
      expect([status, stderr]).toEqual([
        255,
        expect.stringMatching(/"\/missing".*; make it first, or name another\n$/),
      ]);
    } else expect(status).not.toBe(0);
    expect((await exec(shared(), ["ls", "/missing"])).status).not.toBe(0);
  });

  rootTest("a container that does not exist, or has ended", async () => {
    expect((await box.runtime(["exec", box.id(), "true"])).stderr).toContain("does not exist");
    const container = await start();
    await container.kill("KILL");
    await container.exit();
    const { status, stderr } = await exec(container, ["true"]);
    expect(status).toBe(failure);
    if (runtimeKind !== "crun") expect(stderr).toContain("cannot exec in a stopped container");
  });

  rootTest("a created container can be joined", async () => {
    const container = await box.create(sleeper());
    expect(await output(container, ["cat", "/etc/passwd"])).toContain("somebody");
    expect(await container.status()).toBe("created");
  });
});

describe("cgroups", () => {
  rootTest("--cgroup is beneath the container's", async () => {
    if (runtimeKind === "crun") return;
    const container = await start();
    const made = [...groupsOf(container.pid)]
      .map(([controllers, path]) => {
        const root = controllers === "" ? unifiedRoot : controllerRoot(controllers.replace("name=", ""));
        return root === undefined ? "" : `${root}${path}/sub`;
      })
      .filter((path) => path !== "" && existsSync(join(path, "..")));
    for (const path of made) {
      mkdirSync(path);
      for (const name of ["cpuset.cpus", "cpuset.mems"]) {
        const file = join(path, name);
        if (existsSync(file)) writeFileSync(file, readFileSync(join(path, "..", name)));
      }
    }
    const shown = await output(container, ["cat", "/proc/self/cgroup"], ["--cgroup", "sub"]);
    expect(shown).toContain(`${container.id}/sub\n`);
    for (const path of made)
      await until(`${path} to be empty`, () => readFileSync(join(path, "cgroup.procs"), "utf8") === "");
    for (const path of made) rmdirSync(path);
    const { status } = await exec(container, ["true"], ["--cgroup", "sub"]);
    expect(status).toBe(failure);
  });

  rootTest("a path that leads out is refused", async () => {
    if (runtimeKind === "crun") return;
    for (const path of ["..", "../x", "a/../../b", "cpu:.."]) {
      const { status, stderr } = await exec(shared(), ["true"], ["--cgroup", path]);
      expect(status).toBe(failure);
      if (runtimeKind === "bunc") expect(stderr).toContain("leads out of the container's cgroup");
    }
  });

  rootTest("a paused container is refused, unless that is to be ignored", async () => {
    const freezer = controllerRoot("freezer");
    if (freezer === undefined) return;
    const container = await start();
    const state = join(freezer, groupsOf(container.pid).get("freezer") ?? "", "freezer.state");
    writeFileSync(state, "FROZEN");
    try {
      const refused = await exec(container, ["true"]);
      expect(refused.status).toBe(failure);
      if (runtimeKind !== "crun") expect(refused.stderr).toContain("paused container");
      if (runtimeKind === "crun") return;
      const running = await box.spawn(["exec", "--ignore-paused", container.id, "echo", "done"]);
      await Bun.sleep(300);
      writeFileSync(state, "THAWED");
      expect((await running.finished).stdout).toBe("done\n");
    } finally {
      writeFileSync(state, "THAWED");
    }
  });
});

describe("a user namespace", () => {
  rootTest("is joined, with root's ids in it", async () => {
    const container = await start((config) => {
      config.linux.namespaces.push({ type: "user" });
      config.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 5000 }];
      config.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 5000 }];
      delete config.linux.resources;
    });
    expect(await output(container, sh("id -u; readlink /proc/self/ns/user"))).toBe(
      `0\n${readlinkSync(`/proc/${container.pid}/ns/user`)}\n`,
    );
    expect(await output(container, ["id", "-u"], ["-u", "1000:1000"])).toBe("1000\n");
    const { status } = await exec(container, ["id", "-u"], ["-u", "6000"]);
    expect(status).toBe(failure);
  });

  rootTest("of one id", async () => {
    const container = await start((config) => rootless(config, 0, 0));
    expect(await output(container, ["id", "-u"])).toBe("0\n");
  });
});

describe("a container that looks", () => {
  rootTest("a working directory through a descriptor has no path (CVE-2024-21626)", async () => {
    for (let fd = 3; fd < 16; fd++) {
      const { status, stdout } = await exec(shared(), sh("pwd; ls ../../../.."), [
        "--cwd",
        `/proc/self/fd/${fd}`,
      ]);
      expect(status).not.toBe(0);
      expect(stdout).toBe("");
    }
  });

  peersDiffer({ crun: "takes too long, four times a second" })(
    "finds nothing of the machine's in the processes that join it (CVE-2016-9962, CVE-2019-5736)",
    async () => {
      const marker = join(box.directory("marker"), "marker");
      writeFileSync(marker, "");
      // Every process but its own: root, working directory, descriptors and executable must not lead to the marker, and the
      // executable must not be open for writing.
      // runc 1.1.5 passes a directory of the cgroups on (CVE-2024-21626); here a directory is only what globbing opens itself.
      const directories =
        runtimeKind === "bunc"
          ? '[ $p != /proc/1 ] && [ -d $link/. ] && echo "directory $link" >>/found'
          : ":";
      const spy = `
        while [ ! -e /stop ]; do
          for p in /proc/[0-9]*; do
            for link in $p/root $p/cwd $p/fd/*; do [ -e $link${marker} ] && echo "$link" >>/found; done
            for link in $p/fd/*; do ${directories}; done
            [ -e $p/exe${marker} ] && echo exe >>/found
            case "$(readlink $p/exe)" in *bunc) echo runtime >>/found;; esac
          done
        done`;
      const container = await box.create(
        sleeper((config) => {
          config.process.args = ["sh", "-c", spy];
          for (const set of ["bounding", "effective", "permitted"] as const) {
            config.process.capabilities?.[set]?.push("CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH");
          }
        }),
      );
      await container.start();
      const before = readFileSync(runtimePath).length;
      for (let count = 0; count < 60; count++) await exec(container, ["true"]);
      writeFileSync(join(container.bundle.rootfs, "stop"), "");
      await container.exit();
      const found = join(container.bundle.rootfs, "found");
      expect(existsSync(found) ? readFileSync(found, "utf8") : "").toBe("");
      expect(readFileSync(runtimePath).length).toBe(before);
    },
  );
});
