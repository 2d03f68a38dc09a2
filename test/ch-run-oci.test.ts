/**
 * The place of Charliecloud's ch-run-oci: its command line under its name, and every feature that its manual lists as an
 * error or as ignored. docs/ch-run-oci.md has a row for each of these tests.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canMakeAccounts, withoutSubordinateIds, withSubordinateIds } from "./support/accounts.ts";
import { Buildah } from "./support/buildah.ts";
import { linkChRunOci, operate } from "./support/ch-run-oci.ts";
import { command, output, until } from "./support/command.ts";
import { type Change, config, inherit, rootless, shell } from "./support/config.ts";
import { ConsoleSocket } from "./support/console.ts";
import { hasProgram, repository, runtimeKind } from "./support/machine.ts";
import { oursOnly, testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("ch-run-oci");
const globals = ["--root", box.state];

const oursTest = testIf(
  canMakeAccounts && runtimeKind === "bunc",
  "needs root, useradd, setpriv; bunc's own design",
);
const buildTest = testIf(
  canMakeAccounts && hasProgram("buildah") && runtimeKind === "bunc",
  "needs root, buildah, useradd; bunc's own design",
);

/** What a container of root's prints and ends with, through ch-run-oci's operations. */
async function look(script: string, change: Change = () => {}, prepare?: (rootfs: string) => void) {
  const outcome = await operate(box, shell(script, change), { globals, ...(prepare ? { prepare } : {}) });
  return outcome;
}
const prints = (stdout: string) => ({ status: 0, stdout, stderr: "", stage: "" as const });

/** A row of the manual's lists, and the test of what bunc does instead. */
interface Row {
  /** As the manual words it. */
  feature: string;
  title: string;
  body: () => Promise<void>;
  /** A file and a test in it of what this machine mostly lacks. */
  elsewhere?: [file: string, title: string];
}

const errors: Row[] = [
  {
    feature: "Pseudoterminals",
    title: "a pseudoterminal is sent over --console-socket",
    async body() {
      const socket = new ConsoleSocket(join(box.directory("console"), "sock"));
      const operated = operate(
        box,
        shell("tty; test -t 0 && exit 4", (result) => (result.process.terminal = true)),
        { globals, flags: ["--console-socket", socket.path] },
      );
      const console = await socket.accept();
      await console.waitFor(/\/dev\/(pts\/0|console)\r\n/);
      expect(await operated).toEqual({ status: 4, stdout: "", stderr: "", stage: "" });
      console.close();
      socket.close();
    },
  },
  {
    feature: "Hooks (prestart, poststart, and prestop)",
    title: "hooks run: prestart, poststart, and poststop, which the specification calls prestop nowhere",
    async body() {
      const log = join(box.directory("hooks"), "log");
      const hook = (name: string) => [{ path: "/bin/sh", args: ["sh", "-c", `echo ${name} >> ${log}`] }];
      const outcome = await look("echo ran", (result) => {
        result.hooks = {
          prestart: hook("prestart"),
          poststart: hook("poststart"),
          poststop: hook("poststop"),
        };
      });
      expect(outcome).toEqual(prints("ran\n"));
      expect(readFileSync(log, "utf8")).toBe("prestart\npoststart\npoststop\n");
    },
  },
  {
    feature: "Annotations",
    title: "annotations are kept and shown by state",
    async body() {
      const container = await box.create(
        config((result) => (result.annotations = { "org.example": "value" })),
      );
      const state = await command([linkChRunOci(box), ...globals, "state", container.id]);
      expect(JSON.parse(state.stdout).annotations).toEqual({ "org.example": "value" });
      await container.delete();
    },
  },
  {
    feature: "Joining existing namespaces",
    title: "a namespace is joined by its path",
    async body() {
      const host = (await output(["readlink", "/proc/self/ns/uts"])).trim();
      const outcome = await look("readlink /proc/self/ns/uts", (result) => {
        inherit(result, "uts");
        result.linux.namespaces.push({ type: "uts", path: `/proc/${process.pid}/ns/uts` });
        delete result.hostname;
      });
      expect(outcome).toEqual(prints(`${host}\n`));
    },
  },
  {
    feature: "Intel Resource Director Technology (RDT)",
    title: "Intel RDT is refused by name where it cannot be had",
    async body() {
      const { status, stderr, stage } = await look("echo ran", (result) => {
        Object.assign(result.linux, { intelRdt: { closID: "test" } });
      });
      expect([stage, status]).toEqual(["create", 1]);
      expect(stderr).toMatch(/linux\.intelRdt/);
    },
    elsewhere: [
      "test/intel-rdt.test.ts",
      "is made with its schemata, holds init and what exec adds, and goes with the container",
    ],
  },
];

const map = [{ containerID: 0, hostID: 400_000, size: 1000 }];

const ignored: Row[] = [
  {
    feature: "Mounts other than the root filesystem",
    title: "mounts are made",
    async body() {
      const source = box.directory("source");
      writeFileSync(join(source, "file"), "mounted\n");
      const outcome = await look("cat /mnt/file; stat -f -c %T /tmp", (result) => {
        result.mounts.push({ destination: "/mnt", type: "bind", source, options: ["rbind", "ro"] });
        result.mounts.push({ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: [] });
      });
      expect(outcome).toEqual(prints("mounted\ntmpfs\n"));
    },
  },
  {
    feature: "User/group mappings beyond one user mapped to EUID and one group mapped to EGID",
    title: "a thousand users and groups are mapped",
    async body() {
      const outcome = await operate(
        box,
        shell(
          "sed 's/  */ /g' /proc/self/uid_map /proc/self/gid_map; touch /f; chown 7:8 /f; stat -c %u:%g /f",
          (result) => {
            result.linux.namespaces.push({ type: "user" });
            result.linux.uidMappings = map;
            result.linux.gidMappings = map;
          },
        ),
        { globals, owner: 400_000 },
      );
      expect(outcome).toEqual(prints(" 0 400000 1000\n 0 400000 1000\n7:8\n"));
    },
  },
  {
    feature: "Disabling prctl(PR_SET_NO_NEW_PRIVS)",
    title: "no_new_privs is as config.json says, on and off",
    async body() {
      for (const value of [false, true]) {
        const outcome = await look("grep NoNewPrivs /proc/self/status", (result) => {
          result.process.noNewPrivileges = value;
        });
        expect(outcome).toEqual(prints(`NoNewPrivs:\t${Number(value)}\n`));
      }
    },
  },
  {
    feature: "Root filesystem propagation mode",
    title: "the root has the propagation that is asked for",
    async body() {
      const outcome = await look("awk '$5 == \"/\" { print $7 }' /proc/self/mountinfo", (result) => {
        result.linux.rootfsPropagation = "unbindable";
      });
      expect(outcome).toEqual(prints("unbindable\n"));
    },
  },
  {
    feature: "sysctl directives",
    title: "sysctls are set",
    async body() {
      const outcome = await look("cat /proc/sys/kernel/msgmax", (result) => {
        result.linux.sysctl = { "kernel.msgmax": "4321" };
      });
      expect(outcome).toEqual(prints("4321\n"));
    },
  },
  {
    feature: "masked and read-only paths (remaining unprivileged protects you)",
    title: "paths are masked and made read-only",
    async body() {
      const outcome = await look(
        "cat /proc/timer_list; (echo x > /proc/sys/kernel/domainname) 2>&1 | grep -c Read-only",
        (result) => {
          result.linux.maskedPaths = ["/proc/timer_list"];
          result.linux.readonlyPaths = ["/proc/sys"];
        },
      );
      expect(outcome).toEqual(prints("1\n"));
    },
  },
  {
    feature: "Capabilities",
    title: "capabilities are those of config.json",
    async body() {
      const outcome = await look("grep Cap /proc/self/status | tr -d '\\t'", (result) => {
        const one = ["CAP_CHOWN"];
        result.process.capabilities = { bounding: one, effective: one, permitted: one };
      });
      const [none, chown] = ["0000000000000000", "0000000000000001"];
      expect(outcome).toEqual(
        prints(`CapInh:${none}\nCapPrm:${chown}\nCapEff:${chown}\nCapBnd:${chown}\nCapAmb:${none}\n`),
      );
    },
  },
  {
    feature: "rlimits",
    title: "limits are set",
    async body() {
      const outcome = await look("ulimit -Sn; ulimit -Hn", (result) => {
        result.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 123, hard: 456 }];
      });
      expect(outcome).toEqual(prints("123\n456\n"));
    },
  },
  {
    feature: "Devices (all devices are inherited from the host)",
    title: "/dev has the default devices and those of config.json, none of the host's",
    async body() {
      const outcome = await look(
        "cd /dev; ls -d null zero full kmsg mem vda sda 2>/dev/null; stat -c %t:%T mine",
        (result) => {
          result.linux.devices = [{ type: "c", path: "/dev/mine", major: 1, minor: 5, fileMode: 0o666 }];
        },
      );
      expect(outcome).toEqual(prints("full\nnull\nzero\n1:5\n"));
    },
  },
  {
    feature: "cgroups",
    title: "the container is in a cgroup of its own, with its limits",
    async body() {
      const path = `/bunc-test-ch-${process.pid}`;
      const outcome = await look("cat /proc/self/cgroup", (result) => {
        result.linux.cgroupsPath = path;
        result.linux.resources = { pids: { limit: 55 } };
      });
      expect([outcome.status, outcome.stderr]).toEqual([0, ""]);
      expect(outcome.stdout).toContain(`:${path}\n`);
    },
  },
  {
    feature: "seccomp",
    title: "system calls are filtered",
    async body() {
      const outcome = await look("grep Seccomp: /proc/self/status; mkdir /made; echo $?", (result) => {
        const names = ["mkdir", "mkdirat"];
        result.linux.seccomp = {
          defaultAction: "SCMP_ACT_ALLOW",
          syscalls: [{ names, action: "SCMP_ACT_ERRNO", errnoRet: 95 }],
        };
      });
      expect([outcome.status, outcome.stdout]).toEqual([0, "Seccomp:\t2\n1\n"]);
      expect(outcome.stderr).toContain("not supported");
    },
  },
  {
    feature: "SELinux",
    title: "a SELinux label has no effect where there is no SELinux, and that is said",
    async body() {
      const { status, stdout, stderr, stage } = await look("echo ran", (result) => {
        result.process.selinuxLabel = "system_u:system_r:container_t:s0";
        result.linux.mountLabel = "system_u:object_r:container_file_t:s0";
      });
      expect([stage, status]).toEqual(["", 0]);
      expect(stdout).toBe("ran\n");
      expect(stderr).toMatch(/process\.selinuxLabel/);
      expect(stderr).toMatch(/linux\.mountLabel/);
    },
    elsewhere: [
      "test/security-modules.test.ts",
      "labels the process, and the new file systems but for those that it labels itself",
    ],
  },
  {
    feature: "AppArmor",
    title: "an AppArmor profile is refused by name where there is no AppArmor",
    async body() {
      const { status, stderr, stage } = await look("echo ran", (result) => {
        Object.assign(result.process, { apparmorProfile: "bunc-no-such-profile" });
      });
      expect([stage, status]).toEqual(["create", 1]);
      expect(stderr).toMatch(/process\.apparmorProfile/);
    },
    elsewhere: ["test/security-modules.test.ts", "confines the process, which had no_new_privs before"],
  },
  {
    feature: "Container hostname setting",
    title: "the hostname is set",
    async body() {
      expect(await look("hostname", (result) => (result.hostname = "elsewhere"))).toEqual(
        prints("elsewhere\n"),
      );
    },
  },
];

describe("what ch-run-oci's manual lists as an error", () => {
  for (const { title, body } of errors) oursOnly(title, body);
});

describe("what ch-run-oci's manual lists as ignored", () => {
  for (const { title, body } of ignored) oursOnly(title, body);
});

test("docs/ch-run-oci.md has a row for each, with its test", () => {
  const lines = readFileSync(join(repository, "docs/ch-run-oci.md"), "utf8").split("\n");
  for (const { feature, title, elsewhere } of [...errors, ...ignored]) {
    const row = lines.find((line) => line.startsWith(`| ${feature} |`));
    const tests = elsewhere ? `${title}; ${elsewhere[0]}: ${elsewhere[1]}` : title;
    expect([feature, row?.endsWith(`| ${tests} |`)]).toEqual([feature, true]);
    if (elsewhere) {
      const [file, its] = elsewhere;
      expect(readFileSync(join(repository, file), "utf8")).toContain(`"${its}"`);
    }
  }
});

describe("the operations", () => {
  oursTest(
    "of a user with no rights, with the options that buildah sends and nothing in the environment",
    async () => {
      const { uid, gid, become } = withoutSubordinateIds();
      const home = box.directory("home");
      await output(["chown", `${uid}:${gid}`, home]);
      for (const verbosity of [[], ["-v"], ["--verbose", "--debug"]]) {
        const outcome = await operate(
          box,
          shell("id -u; exit 3", (result) => rootless(result, uid, gid)),
          {
            become: ["/usr/bin/env", ...become],
            owner: uid,
            env: { XDG_RUNTIME_DIR: home, PATH: "/usr/bin:/bin" },
            globals: verbosity,
            flags: ["--no-new-keyring"],
          },
        );
        expect([outcome.status, outcome.stdout, outcome.stage]).toEqual([3, "0\n", ""]);
        if (verbosity.length === 0) expect(outcome.stderr).toBe("");
      }
      expect(readdirSync(join(home, "bunc")).filter((name) => !name.startsWith("."))).toEqual([]);
    },
  );

  oursOnly("any OCI version 1 is taken, not only 1.0.0", async () => {
    for (const version of ["1.0.0", "1.0.2-dev", "1.1.0-rc.1", "1.2.0", "1.3.0"]) {
      expect(await look("echo ran", (result) => (result.ociVersion = version))).toEqual(prints("ran\n"));
    }
  });

  oursOnly("kill does what it says, with a signal and without", async () => {
    for (const signal of [[], ["KILL"], ["9"], ["SIGKILL"]]) {
      const container = await box.create(
        config(
          (result) => (result.process.args = ["sh", "-c", "trap 'exit 5' TERM; while :; do sleep 0.1; done"]),
        ),
      );
      await container.start();
      await Bun.sleep(100);
      const kill = await command([linkChRunOci(box), ...globals, "kill", container.id, ...signal]);
      expect([kill.status, kill.stderr]).toEqual([0, ""]);
      expect(await container.exit()).toBe(signal.length === 0 ? 5 : 128 + 9);
      await container.delete();
    }
  });

  oursOnly("-h and --version; -v says more, and nothing else", async () => {
    const call = (...args: string[]) => command([linkChRunOci(box), ...args], { env: {} });
    for (const flag of ["-h", "--help"]) {
      const { status, stdout, stderr } = await call(flag);
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout).toContain("ch-run-oci [global options] command");
      expect(stdout).toContain("--verbose, -v");
    }
    expect((await call("--version")).stdout).toMatch(/^bunc version /);
    expect(await call("-v", ...globals, "state", "none")).toEqual({
      status: 1,
      stdout: "",
      stderr: 'bunc: container "none" does not exist\n',
    });
  });
});

describe("buildah with --runtime …/ch-run-oci", () => {
  const callers = [
    ["a user with subordinate ids", withSubordinateIds, "rootless"],
    ["a user with none", withoutSubordinateIds, "oci"],
    ["a user with none", withoutSubordinateIds, "rootless"],
  ] as const;
  const steps = ["RUN echo one > /one && id -u", "RUN cat /one; hostname > /dev/null; mkdir /d && ls -d /d"];
  const instances = new Map<string, Buildah>();
  const instance = (account: (typeof callers)[number][1], isolation: "oci" | "rootless"): Buildah => {
    const key = `${account().name} ${isolation}`;
    const made = instances.get(key) ?? new Buildah(box, account(), isolation);
    instances.set(key, made);
    return made;
  };

  for (const [who, account, isolation] of callers) {
    buildTest(`${who}, isolation ${isolation}: builds, and a failing step keeps its status`, async () => {
      const buildah = instance(account, isolation);
      const runtime = linkChRunOci(box);
      const built = await buildah.run(steps, { runtime });
      expect([built.status, built.status === 0 ? "" : built.stderr]).toEqual([0, ""]);
      expect(built.stdout).toContain("\none\n/d\n");
      expect((await buildah.run(["RUN exit 7"], { runtime })).status).toBe(7);
    });
  }

  for (const operation of ["create", "start", "delete"]) {
    buildTest(`CH_RUN_OCI_HANG=${operation}: a build stops, can be looked into, and goes on`, async () => {
      const buildah = instance(withoutSubordinateIds, "oci");
      const log = join(buildah.home, `log-${operation}`);
      const env = { ...buildah.env, CH_RUN_OCI_HANG: operation, CH_LOG_FILE: log };
      const base = await buildah.base();
      const building = await buildah.building([`FROM ${base}`, "RUN echo built"], {
        runtime: linkChRunOci(box),
        env,
      });
      const text = () => (existsSync(log) ? readFileSync(log, "utf8") : "");
      const pid = await until(
        "the wait",
        () => Number(/to go on: kill -CONT (\d+)/.exec(text())?.[1] ?? 0) || undefined,
        30_000,
      );
      expect(text()).toContain(`stopped before ${operation} buildah-buildah`);
      // As whoever builds, one sees what the operation will see: the root file system in buildah's own mounts.
      const line = /to see what it sees: (nsenter [^"]*)"/.exec(text())?.[1] ?? "";
      expect(line).toContain(" --preserve-credentials ");
      const inside = [...buildah.account.become, ...line.split(" "), "/bin/sh", "-c"];
      if (operation === "create") {
        const bundle = /the bundle is ([^"]*)"/.exec(text())?.[1] ?? "";
        const seen = await command([
          ...inside,
          `ls ${bundle}/config.json ${bundle}/mnt/rootfs/bin/busybox; id -u`,
        ]);
        expect([seen.stderr, seen.stdout.split("\n").at(-2)]).toEqual(["", "0"]);
      } else {
        const look = /to look into the container: (nsenter [^"]*)"/.exec(text())?.[1] ?? "";
        if (operation === "start") {
          const seen = await command([...buildah.account.become, ...look.split(" "), "/bin/busybox", "true"]);
          expect([seen.status, seen.stderr]).toEqual([0, ""]);
        }
      }
      process.kill(pid, "SIGCONT");
      const { status, stdout } = await building.finished;
      expect([status, stdout.includes("built\n")]).toEqual([0, true]);
    });
  }
});
