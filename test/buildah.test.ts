/**
 * Builds by buildah: as root, as a user with subordinate ids, as a user with none. The same Containerfile is built with
 * runc too, where there is one: what the steps print must be the same.
 */
import { describe, expect } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import {
  type Account,
  canMakeAccounts,
  rootAccount,
  withoutSubordinateIds,
  withSubordinateIds,
} from "./support/accounts.ts";
import { Buildah } from "./support/buildah.ts";
import { type Finished, until } from "./support/command.ts";
import { findProgram, hasProgram, isRoot, runtimeKind } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { OnTerminal } from "./support/pty.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("buildah");
const available = isRoot && hasProgram("buildah") && canMakeAccounts;
const buildTest = testIf(
  available && runtimeKind !== "crun",
  "needs root, buildah, useradd, and a runtime other than crun",
);

type Isolation = Buildah["isolation"];

const callers: [string, () => Account, Isolation][] = [
  ["root, isolation oci", () => rootAccount, "oci"],
  ["a user with subordinate ids, isolation oci", withSubordinateIds, "oci"],
  ["a user with subordinate ids, isolation rootless", withSubordinateIds, "rootless"],
  ["a user with none, isolation oci", withoutSubordinateIds, "oci"],
  ["a user with none, isolation rootless", withoutSubordinateIds, "rootless"],
];

const instances = new Map<string, Buildah>();

/** One storage for each caller and isolation; its base image is built once. */
function instance([title, account, isolation]: [string, () => Account, Isolation]): Buildah {
  const found = instances.get(title) ?? new Buildah(box, account(), isolation);
  instances.set(title, found);
  return found;
}

/** What two builds of the same file may differ in: ids of images, names of containers, the runtime's own name. */
function comparable({ status, stdout, stderr }: Finished): Finished {
  const strip = (text: string) =>
    text
      .replace(/\b[0-9a-f]{64}\b|--> [0-9a-f]{11}\b/g, "ID")
      .replace(/buildah-?buildah\d+|buildah\d+/g, "NAME")
      .replace(/\/\S*\/(bunc|runc|crun)\b/g, "RUNTIME")
      .replace(/^time="[^"]*" /gm, "");
  return { status, stdout: strip(stdout), stderr: strip(stderr) };
}

/** What a step can see of how its container was made; joined into a few steps. */
const looks = [
  "id; grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Sig(Blk|Ign)|Threads)' /proc/self/status",
  "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups /proc/self/limits",
  "env | grep -v ^HOSTNAME= | sort; umask; pwd; echo $$",
  "ls /proc/self/fd | grep -v '^3$'; cat; echo end of standard input",
  "cd /dev; for f in *; do stat -c '%n %F %t:%T %a %u:%g' $f; readlink $f; done 2>&1",
  "grep -v -E '^[^ ]+ (/|/(proc|sys)/.*) ' /proc/mounts | awk '{ print $2, $3, substr($4, 1, 2) }' | sort -u",
  "for f in /proc/keys /proc/timer_list /proc/acpi /sys/firmware; do echo $f; ls -A $f | grep -v $f; cat $f; done 2>&1",
  "for f in sys/kernel/domainname sysrq-trigger irq bus; do test -w /proc/$f && echo $f writable; done",
  "echo x > /proc/sys/kernel/domainname; touch /sys/x; mknod /tmp/d c 1 3; mount -t tmpfs x /tmp; unshare -m true",
  "ls -ld / /dev /dev/shm /dev/mqueue /proc /sys /tmp /etc | awk '{ print $1, $3, $4, $NF }'",
  "ls -d /etc/hosts /etc/hostname /etc/resolv.conf /run/.containerenv",
];
const look = [
  ...[0, 3, 6, 9].map((first) => `RUN (${looks.slice(first, first + 3).join("; ")}) 2>&1; true`),
  "RUN mkdir -p /made/by/step && echo text > /made/by/step/file && chmod 640 /made/by/step/file",
  "WORKDIR /made/by/step",
  "RUN pwd; stat -c '%A %u %g %s %n' file; cat file",
  "WORKDIR /not/there/yet",
  "RUN pwd",
];

for (const caller of callers) {
  describe(`buildah as ${caller[0]}`, () => {
    buildTest("a build of many steps gives what it gives through runc", async () => {
      const buildah = instance(caller);
      // A user with one id would see its answers: test/root-emulation.test.ts.
      const flags = runtimeKind === "bunc" ? ["--runtime-flag", "root-emulation=none"] : [];
      const ours = comparable(await buildah.run(look, { flags }));
      expect([ours.status, ours.status === 0 ? "" : ours.stderr]).toEqual([0, ""]);
      expect(ours.stdout).toContain("end of standard input\n");
      const runc = findProgram("runc");
      if (runtimeKind === "runc" || runc === undefined) return;
      expect(ours).toEqual(comparable(await buildah.run(look, { runtime: runc })));
    });

    buildTest("a step that reads standard input does not wait for ever", async () => {
      const { status, stdout } = await instance(caller).run(["RUN cat; echo end"], {
        stdin: "pipe",
        timeout: 20_000,
      });
      expect(status).toBe(0);
      expect(stdout).toContain("\nend\n");
    });

    buildTest("a failing step gives buildah its status, and the text that runc's gives", async () => {
      const buildah = instance(caller);
      const steps = ["RUN echo before; exit 7"];
      const ours = comparable(await buildah.run(steps));
      expect(ours.status).toBe(7);
      expect(ours.stdout).toContain("before\n");
      expect(ours.stderr).toContain("exit status 7");
      const runc = findProgram("runc");
      if (runc === undefined) return;
      expect(ours).toEqual(comparable(await buildah.run(steps, { runtime: runc })));
    });

    buildTest("a step killed by a signal fails, and buildah learns of the signal", async () => {
      const buildah = instance(caller);
      const duration = uniqueDuration();
      const building = await buildah.building([`FROM ${await buildah.base()}`, `RUN exec sleep ${duration}`]);
      const step = await until("the step", () => sleepers(duration)[0]);
      process.kill(step, "SIGKILL");
      const { status, stderr } = await building.finished;
      expect(status).toBe(1);
      expect(stderr).toContain("container exited on killed");
    });

    buildTest("a step whose program does not exist fails, and says so", async () => {
      const { status, stderr } = await instance(caller).run(['RUN ["/no/such/program"]']);
      expect(status).not.toBe(0);
      expect(stderr).toMatch(/no such file or directory|executable file not found/i);
    });

    buildTest("Ctrl-C ends a build, and nothing of it stays", async () => {
      const buildah = instance(caller);
      const duration = uniqueDuration();
      const building = await buildah.building([`FROM ${await buildah.base()}`, `RUN sleep ${duration}`], {
        wrap: ["setsid"],
      });
      await until("the step", () => sleepers(duration).length > 0);
      await Bun.sleep(300);
      // As from a terminal: to buildah, to its helper and to whatever call of the runtime there is.
      process.kill(-building.pid, "SIGINT");
      expect((await building.finished).status).not.toBe(0);
      await until("the end of the step", () => sleepers(duration).length === 0);
    });

    buildTest("run -t has a terminal", async () => {
      const buildah = instance(caller);
      const container = (await buildah.call("from", await buildah.base())).stdout.trim();
      // buildah sets the size when the program runs already.
      const size = "until stty size 2>/dev/null | grep -v '^0 0$'; do sleep 0.05; done";
      const script = `test -t 0 && test -t 1 && tty; ${size}; read line; echo got $line; exit 6`;
      const person = new OnTerminal(buildah.argv(["run", "--tty", container, "sh", "-c", script]), {
        env: buildah.env,
        rows: 34,
        columns: 112,
      });
      await person.waitFor(/\/dev\/(pts\/0|console)\r\n/);
      person.write("some words\n");
      expect(await person.exit()).toBe(6);
      expect(person.text).toContain("34 112\r\n");
      expect(person.text).toContain("got some words\r\n");
      await buildah.call("rm", container);
    });
  });
}

let durations = 0;

/** Seconds to sleep by which a step can be told from every other process. */
const uniqueDuration = (): string => `1${process.pid}${++durations}`;

/** The processes that sleep so long. */
function sleepers(duration: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8") === `sleep\0${duration}\0`;
      } catch {
        return false;
      }
    })
    .map(Number);
}

describe("what buildah's options ask for, as root", () => {
  const asRoot = () => instance(["root, isolation oci", () => rootAccount, "oci"]);

  const parent = `/bunc-test-parent-${process.pid}`;
  const options: [string, string[], string, RegExp][] = [
    ["--cap-drop", ["--cap-drop=CAP_CHOWN"], "touch /f; chown 5 /f", /not permitted/],
    ["--cap-add", ["--cap-add=CAP_SYS_ADMIN"], "mount -t tmpfs x /tmp && echo mounted", /^mounted$/m],
    ["--ulimit", ["--ulimit=nofile=123:456"], "ulimit -Sn; ulimit -Hn", /^123\n456$/m],
    ["--shm-size", ["--shm-size=1m"], "df -k /dev/shm | tail -1", / 1024 /],
    [
      "--add-host",
      ["--network=host", "--add-host=example:192.0.2.7"],
      "cat /etc/hosts",
      /192\.0\.2\.7\s+example/,
    ],
    [
      "--volume",
      ["--volume=/etc:/host-etc:ro"],
      "touch /host-etc/x 2>&1; cat /host-etc/hostname",
      /Read-only/,
    ],
    [
      "--device",
      ["--device=/dev/null:/dev/other"],
      "stat -c '%F %t:%T' /dev/other",
      /character special file 1:3/,
    ],
    ["--memory", ["--memory=64m"], "cat /proc/self/cgroup", /memory/],
    ["--cpu-shares", ["--cpu-shares=512"], "echo ok", /^ok$/m],
    ["--cgroup-parent", [`--cgroup-parent=${parent}`], "cat /proc/self/cgroup", new RegExp(`:${parent}`)],
    [
      "--security-opt seccomp",
      ["--security-opt=seccomp=unconfined"],
      "grep Seccomp: /proc/self/status",
      /Seccomp:\t0/,
    ],
    ["--pid host", ["--pid=host"], "readlink /proc/self/ns/pid; ls -d /proc/1", /^\/proc\/1$/m],
    ["--ipc host", ["--ipc=host"], "echo ok", /^ok$/m],
    ["--uts host", ["--uts=host"], "hostname", /./],
    [
      "--userns-uid-map",
      ["--userns-uid-map=0:200000:65536", "--userns-gid-map=0:200000:65536"],
      "cat /proc/self/uid_map",
      /0\s+200000\s+65536/,
    ],
  ];
  for (const [what, flags, script, expected] of options) {
    buildTest(what, async () => {
      const { status, stdout, stderr } = await asRoot().run([`RUN (${script}) 2>&1; true`], { flags });
      expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(expected);
    });
  }

  buildTest("USER: another user, by name and by number", async () => {
    const { status, stdout } = await asRoot().run([
      "USER somebody",
      "RUN id -u; id -g; echo $HOME; touch /home/somebody/x 2>&1 || true",
      "USER 4321:8765",
      "RUN id -u; id -g; grep CapEff /proc/self/status",
    ]);
    expect(status).toBe(0);
    expect(stdout).toContain("\n1000\n1000\n/home/somebody\n");
    expect(stdout).toContain("\n4321\n8765\nCapEff:\t0000000000000000\n");
  });

  buildTest("a file of the context, and a file that a step has made, in later steps", async () => {
    const { status, stdout } = await asRoot().run(
      [
        "COPY file /copied",
        "RUN cat /copied > /made",
        "RUN cat /made",
        'SHELL ["/bin/sh", "-e", "-c"]',
        "RUN echo $0",
      ],
      { context: { file: "from the context\n" } },
    );
    expect(status).toBe(0);
    expect(stdout).toContain("from the context\n");
  });

  buildTest("a long output, on both streams", async () => {
    const { status, stdout, stderr } = await asRoot().run(["RUN seq 1 50000; seq 1 50000 >&2"]);
    expect(status).toBe(0);
    expect(stdout.split("\n").filter((line) => /^\d+$/.test(line)).length).toBe(50_000);
    expect(stderr.split("\n").filter((line) => /^\d+$/.test(line)).length).toBe(50_000);
  });

  buildTest("a working directory in a leaked descriptor leads nowhere (CVE-2024-21626)", async () => {
    for (const fd of [3, 4, 5, 6, 7, 8, 9, 10, 11]) {
      const { stdout } = await asRoot().run([
        `WORKDIR /proc/self/fd/${fd}`,
        "RUN ls -a . .. ../.. ../../.. || true",
      ]);
      expect([fd, /vmlinuz|lost\+found|\bmachine-id\b|config\.json/.test(stdout)]).toEqual([fd, false]);
    }
  });

  buildTest("leaves no state of a container behind", async () => {
    const root = { bunc: "/run/bunc", runc: "/run/runc", crun: "/run/crun" }[runtimeKind];
    const left = () =>
      existsSync(root) ? readdirSync(root).filter((name) => name.startsWith("buildah-")) : [];
    const before = left();
    await asRoot().run(["RUN true", "RUN true"]);
    await asRoot().run(["RUN false"]);
    expect(left()).toEqual(before);
  });
});
