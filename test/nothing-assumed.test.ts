/** Little environment, few rights, and containers in containers: what a machine may lack, and bunc must do without. */
import { describe, expect } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canMakeAccounts, withoutSubordinateIds } from "./support/accounts.ts";
import { command, type Finished, output } from "./support/command.ts";
import {
  type Change,
  type Config,
  config,
  defaultCapabilities,
  inherit,
  rootless,
  shell,
} from "./support/config.ts";
import { cgroups, findProgram, runtimeKind, runtimePath } from "./support/machine.ts";
import { oursOnly, testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("nothing");
const setpriv = findProgram("setpriv") ?? "";
const unshare = findProgram("unshare") ?? "";
const oursTest = testIf(
  canMakeAccounts && runtimeKind === "bunc",
  "needs root, useradd, setpriv; bunc's own design",
);

/** The runtime's binary where any user can get to it. */
function reachable(): string {
  const path = join(box.path, "bunc");
  if (!existsSync(path)) copyFileSync(runtimePath, path);
  chmodSync(path, 0o755);
  return path;
}

/** A bundle that belongs to a user, whom /etc/passwd need not know. */
async function bundleOf(uid: number, configuration: Config): Promise<string> {
  const { path } = box.bundle(configuration);
  await output(["chown", "-R", "-h", `${uid}:${uid}`, path]);
  return path;
}

const become = (uid: number) => [setpriv, `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--"];

const own =
  (uid: number, change: Change = () => {}): Change =>
  (result) => {
    rootless(result, uid, uid);
    change(result);
  };

/** No account has it; each test its own, for what it leaves in /tmp is named by it. */
const strangers = 3_054_000 + (process.pid % 10_000) * 10;

function forget(uid: number): void {
  rmSync(`/tmp/bunc-${uid}`, { recursive: true, force: true });
}

describe("an empty environment", () => {
  oursTest("and a user without a name: create, start, state, kill, delete", async () => {
    const uid = strangers;
    const path = await bundleOf(uid, shell("sleep 1000", own(uid)));
    const id = box.id();
    const call = (...args: string[]) =>
      command([...become(uid), reachable(), ...args], { env: {}, cwd: path });
    const quiet = '"$@" >out 2>&1 </dev/null';
    const create = await command(
      [...become(uid), "/bin/sh", "-c", quiet, "sh", reachable(), "create", "--pid-file", "pid", id],
      { env: {}, cwd: path },
    );
    expect([create.status, await Bun.file(join(path, "out")).text()]).toEqual([0, ""]);
    expect(await call("start", id)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(JSON.parse((await call("state", id)).stdout)).toMatchObject({
      status: "running",
      owner: `${uid}`,
    });
    expect((await call("kill", id, "KILL")).status).toBe(0);
    expect((await call("delete", "--force", id)).status).toBe(0);
    expect(readdirSync(`/tmp/bunc-${uid}`).filter((name) => name === id)).toEqual([]);
    forget(uid);
  });

  oursTest("HOME comes from the container's passwd, not from the caller", async () => {
    const uid = strangers + 1;
    const path = await bundleOf(
      uid,
      shell(
        "echo $HOME",
        own(uid, (result) => (result.process.env = ["PATH=/bin"])),
      ),
    );
    const argv = [...become(uid), reachable(), "run", "--bundle", path, box.id()];
    expect(await command(argv, { env: {} })).toEqual({ status: 0, stdout: "/root\n", stderr: "" });
    forget(uid);
  });
});

describe("cgroups that nobody has delegated", () => {
  oursTest("the container has none, and --debug says so", async () => {
    const uid = strangers + 5;
    const path = await bundleOf(uid, shell("echo ok", own(uid)));
    const argv = [...become(uid), reachable(), "--debug", "run", "--bundle", path, box.id()];
    const { status, stdout, stderr } = await command(argv, { env: {} });
    expect([status, stdout]).toEqual([0, "ok\n"]);
    expect(stderr).toContain("debug: the container has no cgroup: ");
    forget(uid);
  });
});

describe("no directory of one's own in /tmp", () => {
  const planted = async (uid: number, body: (trap: string) => Promise<void>) => {
    const trap = `/tmp/bunc-${uid}`;
    mkdirSync(trap);
    chmodSync(trap, 0o777);
    try {
      await body(trap);
    } finally {
      expect(readdirSync(trap)).toEqual([]);
      forget(uid);
    }
  };

  oursTest("is an error when there is nothing else", async () => {
    const uid = strangers + 2;
    await planted(uid, async (trap) => {
      const path = await bundleOf(uid, config(own(uid)));
      const argv = [...become(uid), reachable(), "run", "--bundle", path, box.id()];
      const { status, stderr } = await command(argv, { env: {} });
      expect([status, stderr]).toEqual([
        1,
        `bunc: ${trap} is not a directory of this user's alone; set XDG_RUNTIME_DIR or pass --root\n`,
      ]);
    });
  });

  oursTest("is none when TMPDIR can take it, for every command", async () => {
    const uid = strangers + 3;
    await planted(uid, async () => {
      const path = await bundleOf(uid, config(own(uid)));
      const temporary = box.directory("tmpdir");
      chmodSync(temporary, 0o1777);
      const env = { TMPDIR: temporary };
      const call = (...args: string[]) => command([...become(uid), reachable(), ...args], { env, cwd: path });
      const id = box.id();
      expect(await call("run", "--keep", id)).toEqual({ status: 0, stdout: "", stderr: "" });
      expect(readdirSync(temporary)).toEqual([`bunc-${uid}`]);
      expect(JSON.parse((await call("state", id)).stdout).status).toBe("stopped");
      expect((await call("delete", id)).status).toBe(0);
    });
  });

  oursTest("nor is a TMPDIR that anybody may write to, without the sticky bit", async () => {
    const uid = strangers + 4;
    await planted(uid, async () => {
      const path = await bundleOf(uid, config(own(uid)));
      const temporary = box.directory("loose");
      chmodSync(temporary, 0o777);
      const argv = [...become(uid), reachable(), "run", "--bundle", path, box.id()];
      const { status, stderr } = await command(argv, { env: { TMPDIR: temporary } });
      expect(status).toBe(1);
      expect(stderr).toContain("no directories of this user's alone");
    });
  });
});

describe("namespaces that are forbidden", () => {
  /** Runs a container in a user namespace whose limit of one kind of namespaces is 0: the machine's stays as it is. */
  async function forbidden(kind: string, configuration: Config): Promise<Finished> {
    const { path } = box.bundle(configuration);
    const set = `echo 0 > /proc/sys/user/max_${kind}_namespaces && exec "$@"`;
    const inside = [unshare, "--user", "--map-root-user", "--mount", "--", "/bin/sh", "-c", set, "sh"];
    return command([...inside, runtimePath, "--root", box.state, "run", "--bundle", path, box.id()]);
  }

  for (const [kind, change] of [
    ["user", own(0)],
    ["pid", own(0)],
    ["mnt", own(0)],
    ["ipc", own(0)],
  ] as const) {
    oursOnly(`${kind}: the sysctl is named, and the cure`, async () => {
      const { status, stdout, stderr } = await forbidden(kind, config(change));
      expect([status, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^[^\n]+\n$/);
      expect(stderr).toContain(`user.max_${kind}_namespaces is 0`);
      expect(stderr).toContain(`sysctl user.max_${kind}_namespaces=`);
      expect(readdirSync(box.state).filter((name) => !name.startsWith("."))).toEqual([]);
    });
  }

  oursOnly("where user namespaces are, a container without one runs", async () => {
    const { status, stdout } = await forbidden(
      "user",
      shell("echo ok", (result) => {
        inherit(result, "network");
        delete result.linux.resources;
        result.mounts = result.mounts.filter(({ destination }) => destination !== "/sys");
      }),
    );
    expect([status, stdout]).toEqual([0, "ok\n"]);
  });
});

describe("a user namespace around bunc", () => {
  for (const [what, flags] of [
    ["with mounts of its own", ["--mount"]],
    ["without mounts of its own", []],
  ] as const) {
    oursTest(`${what}: a container with another one inside it`, async () => {
      const { uid } = withoutSubordinateIds();
      const path = await bundleOf(uid, shell("id -u; cat /proc/self/setgroups", own(0)));
      const state = box.directory("state");
      await output(["chown", `${uid}:${uid}`, state]);
      const inside = [unshare, "--user", "--map-root-user", ...flags, "--", reachable(), "--root", state];
      const argv = [...become(uid), ...inside, "run", "--bundle", path, box.id()];
      expect(await command(argv, { env: {} })).toEqual({ status: 0, stdout: "0\ndeny\n", stderr: "" });
    });
  }

  oursTest("buildah's additional group 0 passes in silence, another is refused by its path", async () => {
    const { uid } = withoutSubordinateIds();
    const state = box.directory("state");
    await output(["chown", `${uid}:${uid}`, state]);
    const inside = [unshare, "--user", "--map-root-user", "--mount", "--", reachable(), "--root", state];
    const run = async (additionalGids: number[]) => {
      const path = await bundleOf(
        uid,
        shell("id -G", (result) => {
          inherit(result, "network");
          delete result.linux.resources;
          result.process.user.additionalGids = additionalGids;
          result.mounts = result.mounts.filter(({ destination }) => destination === "/proc");
        }),
      );
      return command([...become(uid), ...inside, "run", "--bundle", path, box.id()], { env: {} });
    };
    expect(await run([0])).toEqual({ status: 0, stdout: "0\n", stderr: "" });
    const { status, stderr } = await run([0, 7]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^bunc: process\.user\.additionalGids\[1\] is 7, which cannot be set: [^\n]+\n$/);
  });
});

describe("the caller's groups", () => {
  const groups = ["--groups=4,3054999"];
  const keep = async (flags: string[], globals: string[], change: Change): Promise<string> => {
    const { path } = box.bundle(
      shell("grep ^Groups: /proc/self/status", (result) => {
        result.process.user.additionalGids = [7];
        change(result);
      }),
    );
    const argv = [setpriv, ...groups, "--", runtimePath, "--root", box.state, ...globals, "run", ...flags];
    const { status, stdout, stderr } = await command([...argv, "--bundle", path, box.id()]);
    expect([status, stderr]).toEqual([0, ""]);
    return stdout.replace(/\s+/g, " ").trim();
  };
  const kept = "Groups: 4 3054999";
  const annotated =
    (value: string): Change =>
    (result) =>
      (result.annotations = { "run.oci.keep_original_groups": value });
  const nothing: Change = () => {};

  for (const [what, flags, globals, change, expected] of [
    ["are replaced by the config's", [], [], nothing, "Groups: 7"],
    ["stay with --keep-groups of the command", ["--keep-groups"], [], nothing, kept],
    [
      "stay with --keep-groups before it, as buildah's --runtime-flag says it",
      [],
      ["--keep-groups"],
      nothing,
      kept,
    ],
    ["stay with crun's annotation", [], [], annotated("1"), kept],
    ["are replaced when the annotation is 0", [], [], annotated("0"), "Groups: 7"],
  ] as [string, string[], string[], Change, string][]) {
    oursOnly(what, async () => {
      expect(await keep(flags, globals, change)).toBe(expected);
    });
  }

  oursTest("stay in a user namespace that maps none of them: rights by them stay, too", async () => {
    const { uid, gid } = withoutSubordinateIds();
    const secret = box.directory("secret");
    writeFileSync(join(secret, "file"), "for the group\n");
    await output(["chown", "-R", "0:3054999", secret]);
    await output(["chmod", "-R", "u=,g=rX,o=", secret]);
    const mount = { destination: "/secret", type: "bind", source: secret, options: ["bind", "ro"] };
    const path = await bundleOf(
      uid,
      shell("cat /secret/file", (result) => {
        rootless(result, uid, gid);
        result.mounts.push(mount);
        result.annotations = { "run.oci.keep_original_groups": "1" };
      }),
    );
    const ids = [setpriv, `--reuid=${uid}`, `--regid=${gid}`, "--groups=3054999", "--"];
    const argv = [...ids, reachable(), "--root", box.directory("state"), "run", "--bundle", path, box.id()];
    await output(["chown", `${uid}`, argv[argv.indexOf("--root") + 1] ?? ""]);
    expect(await command(argv, { env: {} })).toEqual({ status: 0, stdout: "for the group\n", stderr: "" });
  });
});

describe("cgroups that are mounted read-only", () => {
  const readOnly =
    'awk \'$5 ~ "^/sys/fs/cgroup" { print $5 }\' /proc/self/mountinfo | sort -r | while read m; do mount -o remount,bind,ro $m; done; exec "$@"';
  const wrap = [unshare, "--mount", "--propagation", "private", "--", "/bin/sh", "-c", readOnly, "sh"];
  const run = async (change: Change, argv: string[] = [], globals: string[] = []) => {
    const { path } = box.bundle(shell("echo ok", change));
    await output(["chown", "-R", "-h", `${withoutSubordinateIds().uid}`, path]);
    const state = box.directory("state");
    chmodSync(state, 0o777);
    return command([
      ...wrap,
      ...argv,
      reachable(),
      "--root",
      state,
      ...globals,
      "run",
      "--bundle",
      path,
      box.id(),
    ]);
  };
  const ok = { status: 0, stdout: "ok\n", stderr: "" };

  oursTest("a plain user's container runs, with buildah's rules of devices", async () => {
    const { uid } = withoutSubordinateIds();
    const devices: Change = (result) => {
      rootless(result, uid, uid);
      result.linux.resources = { devices: [{ allow: false, access: "rwm" }] };
    };
    expect(await run(devices, become(uid))).toEqual(ok);
  });

  oursTest("root's runs, when it asks for nothing that needs one", async () => {
    expect(await run((result) => delete result.linux.resources)).toEqual(ok);
  });

  oursTest("with rules of devices it is an error for root, which says how to go without", async () => {
    const { status, stderr } = await run(() => {});
    expect([status, stderr.split("\n").length]).toEqual([1, 2]);
    expect(stderr).toContain("mounted read-only");
    expect(stderr).toContain("--cgroup-manager disabled");
    expect(await run(() => {}, [], ["--cgroup-manager=disabled"])).toEqual(ok);
    expect(await run(() => {}, [], ["--rootless=true"])).toEqual(ok);
  });

  oursTest("a limit is an error that names it", async () => {
    const { status, stderr } = await run((result) => (result.linux.resources = { pids: { limit: 9 } }));
    expect(status).toBe(1);
    expect(stderr).toContain("linux.resources.pids.limit");
  });
});

describe("a container in a container", () => {
  interface Nested {
    /** Options of the inner runtime. */
    globals?: string;
    /** Owner of both root file systems. */
    owner?: number;
    /** The outer runtime; the inner one is bunc. */
    runtime?: string;
  }

  /** Runs bunc in a container, on /inner, which is another bundle. */
  async function nested(inner: Config, change: Change, options: Nested = {}): Promise<Finished> {
    const { globals = "", owner = 0, runtime = runtimePath } = options;
    const own = (path: string) => output(["chown", "-R", "-h", `${owner}:${owner}`, path]);
    const { path } = box.bundle(inner);
    await own(path);
    const outer = shell(`/bunc --root /tmp/state ${globals} run --bundle /inner x`, (result) => {
      const capabilities = [...defaultCapabilities, "CAP_DAC_OVERRIDE", "CAP_SETFCAP"];
      result.process.capabilities = {
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
      };
      const bind = (source: string, destination: string, ...options: string[]) => ({
        source,
        destination,
        type: "bind",
        options: ["rbind", ...options],
      });
      result.mounts.push(bind(runtimePath, "/bunc", "ro"), bind(path, "/inner"));
      for (const library of ["/lib", "/lib64"])
        if (existsSync(library)) result.mounts.push(bind(library, library, "ro"));
      change(result);
    });
    const bundle = box.bundle(outer);
    await own(bundle.rootfs);
    return command([runtime, "--root", box.state, "run", "--bundle", bundle.path, box.id()]);
  }
  const ok = { status: 0, stdout: "ok\n", stderr: "" };
  const masks: Change = (result) => {
    result.linux.maskedPaths = ["/proc/acpi", "/proc/keys", "/proc/timer_list", "/sys/firmware"];
    result.linux.readonlyPaths = ["/proc/bus", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
  };

  oursOnly("root without CAP_SYS_ADMIN makes one with a user namespace", async () => {
    expect(await nested(shell("echo ok", own(0)), () => {})).toEqual(ok);
  });

  oursOnly("and is told what maps the outer root, where a container has not got it", async () => {
    const { status, stderr } = await nested(shell("echo ok", own(0)), (outer) => {
      for (const set of Object.values(outer.process.capabilities ?? {}))
        set.splice(0, set.length, ...set.filter((name) => name !== "CAP_SETFCAP"));
    });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^bunc: linux\.uidMappings [^\n]+\n$/)]);
    expect(stderr).toContain("CAP_SETFCAP");
  });

  const runc = findProgram("runc");
  testIf(runtimeKind === "bunc" && runc !== undefined, "needs runc")(
    "and in a container of runc's",
    async () => {
      const runtime = runc ?? "";
      expect(await nested(shell("echo ok", own(0)), () => {}, { runtime })).toEqual(ok);
      const inherits = shell(
        "echo ok",
        own(0, (result) => inherit(result, "pid")),
      );
      expect(await nested(inherits, masks, { runtime })).toEqual(ok);
    },
  );

  oursOnly("and its rules of devices are nobody's to set, so none is missed", async () => {
    const rules: Change = (result) =>
      (result.linux.resources = { devices: [{ allow: false, access: "rwm" }] });
    expect(await nested(shell("echo ok", own(0, rules)), () => {})).toEqual(ok);
  });

  oursOnly("a masked /proc forbids a new one: the error says what covers it, and the ways out", async () => {
    const { status, stderr } = await nested(shell("echo ok", own(0)), masks);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^bunc: mounts\[0\]: [^\n]+\n$/);
    expect(stderr).toContain("the /proc around bunc has parts covered");
  });

  oursOnly("with the outer pid namespace the masked /proc itself is bound, and --debug says so", async () => {
    const inner = shell(
      "echo ok; grep -c ' /proc' /proc/self/mountinfo > /dev/null; cat /proc/keys 2>/dev/null | wc -c",
      own(0, (result) => inherit(result, "pid")),
    );
    expect(await nested(inner, masks)).toEqual({ status: 0, stdout: "ok\n0\n", stderr: "" });
    const { stderr } = await nested(inner, masks, { globals: "--debug" });
    expect(stderr).toMatch(
      /debug: mounts\[0\]: the kernel does not permit [^\n]+ instead: open_tree\([^\n]*"\/proc"/,
    );
  });

  oursOnly("sysfs of a network namespace that is somebody else's: /sys is bound, read-only", async () => {
    const inner = shell(
      "ls /sys | grep -c '^kernel$'; touch /sys/x",
      own(0, (result) => {
        result.mounts.push({ destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid"] });
      }),
    );
    const { status, stdout, stderr } = await nested(inner, () => {});
    expect([status, stdout, stderr]).toEqual([1, "1\n", expect.stringContaining("Read-only")]);
  });

  oursOnly("in a user namespace with all rights a container needs none of its own", async () => {
    const inner = shell("echo ok; id -u", (result) => {
      delete result.linux.resources;
      inherit(result, "network");
    });
    const first = 300_000;
    const map = [{ containerID: 0, hostID: first, size: 65_536 }];
    const rights: Change = (outer) => {
      outer.linux.namespaces.push({ type: "user" }, { type: "cgroup" });
      outer.linux.uidMappings = map;
      outer.linux.gidMappings = map;
      const all = [
        "CAP_SYS_ADMIN",
        "CAP_SETPCAP",
        "CAP_NET_ADMIN",
        "CAP_SYS_CHROOT",
        "CAP_MKNOD",
        "CAP_FOWNER",
      ];
      for (const set of Object.values(outer.process.capabilities ?? {})) set.push(...all);
    };
    expect(await nested(inner, rights, { owner: first })).toEqual({
      status: 0,
      stdout: "ok\n0\n",
      stderr: "",
    });
  });

  oursOnly(`three deep, with the cgroups of this machine (${cgroups}) read-only in the second`, async () => {
    const cgroup: Change = (result) => {
      result.mounts.push({
        destination: "/sys/fs/cgroup",
        type: "cgroup",
        source: "cgroup",
        options: ["ro", "nosuid", "noexec", "nodev"],
      });
    };
    expect(await nested(shell("echo ok", own(0)), cgroup)).toEqual(ok);
  });
});
