/**
 * Root emulation: a user with one id in a container sees chown, setuid and mknod succeed. And what it is for: package
 * managers in builds, as root, as a user with subordinate ids, and as a user with none.
 */
import { describe, expect } from "bun:test";
import { copyFileSync, linkSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import {
  type Account,
  canMakeAccounts,
  rootAccount,
  withoutSubordinateIds,
  withSubordinateIds,
} from "./support/accounts.ts";
import { Buildah, reachable } from "./support/buildah.ts";
import { command, type Finished, output, Running, until } from "./support/command.ts";
import { type Change, rootless, type SyscallRule, shell } from "./support/config.ts";
import { findMirror, makeDebian, proxies } from "./support/debian.ts";
import { addDpkg, hasDpkg, makePackage } from "./support/dpkg.ts";
import { findProgram, hasProgram, runtimeKind, searchPath } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { addRpm, hasRpm, makeRpm } from "./support/rpm.ts";
import { removeTree, workspace } from "./support/workspace.ts";

const box = workspace("root-emulation");
const ours = canMakeAccounts && runtimeKind === "bunc";
const userTest = testIf(ours, "needs root, useradd, setpriv; bunc's own design");

/** Runs a script in a container of busybox, as a user with one id, who is root there. */
async function run(script: string, change: Change = () => {}, globals: string[] = []): Promise<Finished> {
  const account = withoutSubordinateIds();
  const configuration = shell(script, (result) => {
    rootless(result, account.uid, account.gid);
    change(result);
  });
  const { path } = box.bundle(configuration);
  await output(["chown", "-R", "-h", `${account.uid}:${account.gid}`, path]);
  const argv = [...account.become, reachable(box), ...globals, "run", "--bundle", path, box.id()];
  return command(argv, { cwd: path, env: { PATH: searchPath, XDG_RUNTIME_DIR: path } });
}

const annotated =
  (mode: string): Change =>
  (result) => {
    result.annotations = { ...result.annotations, "org.bunc.root-emulation": mode };
  };

const tryChown = "touch /tmp/f; chown 5:6 /tmp/f 2>/dev/null && echo changed; stat -c %u:%g /tmp/f";
const answered = "changed\n0:0\n";
const refused = "0:0\n";

describe("a container with one id", () => {
  userTest("chown and its kin succeed, and change nothing", async () => {
    const { status, stdout, stderr } = await run(
      `${tryChown}; chgrp 7 /tmp/f && ln -s f /tmp/l && chown -h 5 /tmp/l && chown 9 /not/there; stat -c %u:%g /tmp/l`,
    );
    expect([status, stdout]).toEqual([0, `${answered}0:0\n`]);
    // Busybox looks for the file before it changes its owner.
    expect(stderr).toContain("/not/there");
  });

  userTest("devices seem to be made; FIFOs and files are", async () => {
    const { stdout } = await run(
      "cd /tmp; mknod c c 1 3 && mknod b b 7 0 && mknod p p && mkfifo q && touch f && ls -F; echo; stat -c %F p q",
    );
    expect(stdout).toBe("f\np|\nq|\n\nfifo\nfifo\n");
  });

  userTest("--root-emulation=none leaves the calls to the kernel, which refuses", async () => {
    const { stdout } = await run(`${tryChown}; mknod /tmp/c c 1 3 2>&1`, undefined, [
      "--root-emulation=none",
    ]);
    expect(stdout).toBe(`${refused}mknod: /tmp/c: Operation not permitted\n`);
  });

  userTest("the annotation says it, too, and the option wins", async () => {
    expect((await run(tryChown, annotated("none"))).stdout).toBe(refused);
    expect((await run(tryChown, annotated("seccomp"))).stdout).toBe(answered);
    expect((await run(tryChown, annotated("none"), ["--root-emulation=auto"])).stdout).toBe(answered);
    expect((await run(tryChown, annotated("seccomp"), ["--root-emulation", "none"])).stdout).toBe(refused);
  });

  userTest("auto looks at a user namespace that is joined, when it is that of a process", async () => {
    const account = withoutSubordinateIds();
    const holder = new Running(
      [...account.become, "unshare", "--user", "--map-root-user", "sh", "-c", "exec cat"],
      { stdin: "pipe" },
    );
    const path = `/proc/${holder.pid}/ns/user`;
    const own = readlinkSync("/proc/self/ns/user");
    const mapped = () => readFileSync(`/proc/${holder.pid}/uid_map`, "utf8").trim() !== "";
    await until("the user namespace", () => readlinkSync(path) !== own && mapped());
    const join: Change = (result) => {
      result.linux.namespaces = result.linux.namespaces.filter(({ type }) => type !== "user");
      result.linux.namespaces.push({ type: "user", path });
      delete result.linux.uidMappings;
      delete result.linux.gidMappings;
    };
    const { stdout, stderr } = await run(tryChown, join);
    holder.closeInput();
    expect([stdout, stderr]).toEqual([answered, ""]);
  });

  for (const noNewPrivileges of [true, false]) {
    userTest(`the capabilities are those of the config, noNewPrivileges ${noNewPrivileges}`, async () => {
      const look = "grep -E '^(Cap|NoNewPrivs)' /proc/self/status";
      const change: Change = (result) => {
        result.process.noNewPrivileges = noNewPrivileges;
      };
      const { status, stdout } = await run(look, change);
      expect([status, stdout]).toEqual([0, (await run(look, change, ["--root-emulation=none"])).stdout]);
      expect(stdout).toContain(`NoNewPrivs:\t${noNewPrivileges ? 1 : 0}`);
      // CAP_SYS_ADMIN, which loads the filter, is gone.
      const effective = BigInt(`0x${/CapEff:\s*(\w+)/.exec(stdout)?.[1]}`);
      expect((effective >> 21n) & 1n).toBe(0n);
    });
  }

  userTest("nothing tells apt to stay root in an image without it", async () => {
    expect((await run("env; ls -A /dev")).stdout).not.toMatch(/APT_CONFIG|apt\.conf/);
  });
});

describe("beside a profile of the bundle", () => {
  const rule = (action: string, ...names: string[]): SyscallRule => ({ names, action });
  const profile =
    (defaultAction: string, noNewPrivileges: boolean, ...syscalls: SyscallRule[]): Change =>
    (result) => {
      result.linux.seccomp = { defaultAction, syscalls };
      result.process.noNewPrivileges = noNewPrivileges;
    };
  const chowns = ["chown", "fchown", "lchown", "fchownat"];

  for (const noNewPrivileges of [true, false]) {
    describe(`noNewPrivileges ${noNewPrivileges}`, () => {
      userTest("both hold, each for what it is about", async () => {
        const { stdout } = await run(
          `${tryChown}; mkdir /tmp/d 2>&1`,
          profile("SCMP_ACT_ALLOW", noNewPrivileges, rule("SCMP_ACT_ERRNO", "mkdir", "mkdirat")),
        );
        expect(stdout).toBe(`${answered}mkdir: can't create directory '/tmp/d': Operation not permitted\n`);
      });

      userTest("what the profile refuses stays refused", async () => {
        const change = profile("SCMP_ACT_ALLOW", noNewPrivileges, rule("SCMP_ACT_ERRNO", ...chowns));
        expect((await run(tryChown, change)).stdout).toBe(refused);
      });

      userTest("what the profile ends, ends", async () => {
        const change = profile("SCMP_ACT_ALLOW", noNewPrivileges, rule("SCMP_ACT_KILL_PROCESS", ...chowns));
        expect((await run("touch /tmp/f; chown 5 /tmp/f; echo $?", change)).stdout).toBe("159\n");
      });

      userTest("a profile need not allow what loads a filter, nor what sets ids", async () => {
        const refusedCalls = ["seccomp", "prctl", "capset", "setresuid", "setresgid", "setgroups"];
        const change = profile("SCMP_ACT_ALLOW", noNewPrivileges, rule("SCMP_ACT_ERRNO", ...refusedCalls));
        expect(await run(tryChown, change)).toEqual({ status: 0, stdout: answered, stderr: "" });
      });
    });
  }
});

describe("what cannot be", () => {
  userTest("an unknown mode is refused in one line", async () => {
    expect(await run("true", undefined, ["--root-emulation=fake"])).toEqual({
      status: 1,
      stdout: "",
      stderr: 'bunc: --root-emulation: "fake" is none of auto, seccomp, none, notify\n',
    });
    const { status, stderr } = await run("true", annotated("fake"));
    expect([status, stderr]).toEqual([
      1,
      'bunc: annotations["org.bunc.root-emulation"] is "fake": it must be auto, seccomp, none, notify\n',
    ]);
  });

  userTest("a real root's calls are made, and it is told so", async () => {
    const asRoot = (globals: string[]) => box.run(shell(tryChown), { globals });
    expect(await asRoot([])).toEqual({ status: 0, stdout: "changed\n5:6\n", stderr: "" });
    const { stdout, stderr } = await asRoot(["--root-emulation=seccomp"]);
    expect(stdout).toBe("changed\n5:6\n");
    expect(stderr).toContain("root emulation stays off: the container's root is the machine's");
  });

  userTest("a root with many ids makes its calls, unless asked not to", async () => {
    const many: Change = (result) => {
      result.linux.namespaces.push({ type: "user" });
      result.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65_536 }];
      result.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65_536 }];
    };
    expect((await box.run(shell(tryChown, many))).stdout).toBe("changed\n5:6\n");
    const { stdout } = await box.run(shell(tryChown, many), { globals: ["--root-emulation=seccomp"] });
    expect(stdout).toBe(answered);
  });
});

const builds = ours && hasProgram("buildah");

describe("dpkg in a build by a user with no subordinate ids", () => {
  const dpkgTest = testIf(builds && hasDpkg, "needs root, buildah, useradd, dpkg; bunc's own design");
  let buildah: Promise<Buildah> | undefined;

  /** A storage with an image that has dpkg and a package to install. */
  async function prepare(): Promise<Buildah> {
    const result = new Buildah(box, withoutSubordinateIds(), "oci");
    const { rootfs } = box.bundle();
    await addDpkg(rootfs);
    copyFileSync(await makePackage(box), join(rootfs, "kept.deb"));
    const { status, stderr } = await result.build(["FROM scratch", "COPY . /", "ENV PATH=/bin:/usr/bin"], {
      flags: ["--tag", "dpkg", rootfs],
    });
    expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
    return result;
  }

  const install = async (options: { flags?: string[]; runtime?: string } = {}) => {
    buildah ??= prepare();
    const steps = [
      "RUN /usr/bin/dpkg -i /kept.deb",
      "RUN grep -A1 ^Package /var/lib/dpkg/status; ls -lnA /var/spool/kept /usr/share/kept; grep keeper /etc/passwd",
    ];
    return (await buildah).build(["FROM localhost/dpkg", ...steps], options);
  };

  dpkgTest("files of others, and scripts that call chown and adduser, are installed", async () => {
    const { status, stdout, stderr } = await install();
    expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Status: install ok installed");
    expect(stdout).toMatch(/^prw\S+ +1 0 +0 .* queue$/m);
    expect(stdout).toMatch(/^keeper:/m);
    expect(stdout).not.toContain("null");
  });

  dpkgTest("without emulation it fails, as it does in runc", async () => {
    const none = await install({ flags: ["--runtime-flag", "root-emulation=none"] });
    expect(none.status).not.toBe(0);
    expect(none.stderr).toMatch(/ownership|Invalid argument/);
    const runc = findProgram("runc");
    if (runc === undefined) return;
    const theirs = await install({ runtime: runc });
    expect(theirs.status).not.toBe(0);
    expect(theirs.stderr).toMatch(/ownership|Invalid argument/);
  });
});

describe("rpm in a build by a user with no subordinate ids", () => {
  const rpmTest = testIf(builds && hasRpm, "needs root, buildah, useradd, rpmbuild; bunc's own design");
  let buildah: Promise<Buildah> | undefined;

  async function prepare(): Promise<Buildah> {
    const result = new Buildah(box, withoutSubordinateIds(), "oci");
    const { rootfs } = box.bundle();
    await addRpm(rootfs);
    copyFileSync(await makeRpm(box, false), join(rootfs, "owned.rpm"));
    copyFileSync(await makeRpm(box, true), join(rootfs, "devices.rpm"));
    const { status, stderr } = await result.build(["FROM scratch", "COPY . /", "ENV PATH=/bin:/usr/bin"], {
      flags: ["--tag", "rpm", rootfs],
    });
    expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
    return result;
  }

  const install = async (file: string, options: { flags?: string[]; runtime?: string } = {}) => {
    buildah ??= prepare();
    const steps = [
      `RUN /usr/bin/rpm -i --nodeps /${file}`,
      "RUN /usr/bin/rpm -q owned; ls -lnA /usr/share/owned /var/spool/owned; /usr/bin/rpm -V owned || true",
    ];
    return (await buildah).build(["FROM localhost/rpm", ...steps], options);
  };
  const mode = (name: string) => ["--runtime-flag", `root-emulation=${name}`];

  rpmTest("files of others, and scripts that make users and call chown, are installed", async () => {
    const { status, stdout, stderr } = await install("owned.rpm");
    expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^owned-1-1\.noarch$/m);
    expect(stdout).toMatch(/^-rw-r----- +1 0 +0 .* file$/m);
    expect(stdout).toMatch(/^-rw-r--r-- +1 0 +0 .* made$/m);
    // It has its capability.
    expect(stdout).not.toMatch(/\/able$/m);
  });

  rpmTest("with notify they belong to whom they should, devices among them", async () => {
    const { status, stdout, stderr } = await install("devices.rpm", { flags: mode("notify") });
    expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^-rw-r----- +1 0 +999 .* file$/m);
    expect(stdout).toMatch(/^-rwsr-xr-x +1 999 +999 .* program$/m);
    expect(stdout).toMatch(/^-rw-r--r-- +1 999 +999 .* made$/m);
    expect(stdout).toMatch(/^crw-rw-rw- +1 0 +999 +1, +3 .* null$/m);
    // What rpm finds changed in the next step is the link, which has no attributes.
    expect(stdout.match(/^[.?SM5DLUGTP]{9} .*$/gm)).toEqual([".....UG..    /usr/share/owned/link"]);
  });

  rpmTest("without emulation it fails, as it does in runc; a device needs notify", async () => {
    const failed = [await install("owned.rpm", { flags: mode("none") })];
    const runc = findProgram("runc");
    if (runc !== undefined) failed.push(await install("owned.rpm", { runtime: runc }));
    for (const { status, stderr } of failed) {
      expect(status).not.toBe(0);
      expect(stderr).toContain("chown failed");
    }
    // rpm opens what it has made.
    const device = await install("devices.rpm", { flags: mode("seccomp") });
    expect(device.status).not.toBe(0);
    expect(device.stderr).toContain("null");
  });
});

const found = builds ? findMirror() : { mirror: undefined, reason: "needs root, buildah, useradd, bunc" };

describe("apt in a build of several stages", () => {
  const { mirror } = found;
  const aptTest = testIf(mirror !== undefined, found.reason);
  const minutes = 60_000;
  let archive: Promise<string> | undefined;

  /** What packages of a real distribution do: setgid programs, a spool of another user, users of their own. */
  const steps = [
    "FROM localhost/debian AS build",
    "RUN apt-get update && apt-get install -y --no-install-recommends at cron make",
    "RUN dpkg -s at cron make | grep ^Status | sort | uniq -c",
    "RUN ls -l /usr/bin/at /usr/bin/crontab && getent group crontab",
    "RUN addgroup --system makers && adduser --system --ingroup makers maker",
    "RUN install -d -o maker -g makers /work && printf 'all:\\n\\techo made > result\\n' > /work/Makefile",
    "RUN su -s /bin/sh -c 'make -C /work' maker && chown -R maker:makers /work",
    "FROM localhost/debian",
    "RUN apt-get update && apt-get install -y --no-install-recommends dbus && apt-get clean",
    "COPY --from=build /work/result /result",
    "RUN cat /result && getent passwd messagebus && test ! -e /dev/sda && ls -A /dev",
  ];

  async function build(account: Account): Promise<Finished> {
    if (mirror === undefined) throw new Error("no mirror");
    archive ??= makeDebian(box, mirror);
    const buildah = new Buildah(box, account, "oci");
    const context = box.directory("context");
    linkSync(await archive, join(context, "debian.tar"));
    const base = await buildah.build(["FROM scratch", "ADD debian.tar /"], {
      flags: ["--tag", "debian", context],
      timeout: 3 * minutes,
    });
    expect([base.status, base.status === 0 ? "" : base.stderr]).toEqual([0, ""]);
    const flags = ["--network", "host", "--tag", "built"];
    const env = { ...buildah.env, ...proxies() };
    const built = await buildah.build(steps, { flags, env, timeout: 4 * minutes });
    await removeTree(buildah.home);
    await removeTree(context);
    return built;
  }

  const callers: [string, () => Account][] = [
    ["root", () => rootAccount],
    ["a user with subordinate ids", withSubordinateIds],
    ["a user with none", withoutSubordinateIds],
  ];
  for (const [who, account] of callers) {
    aptTest(
      who,
      async () => {
        const { status, stdout, stderr } = await build(account());
        expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
        expect(stdout).toMatch(/3 Status: install ok installed/);
        expect(stdout).toMatch(/^-rws?r.sr.x .*\/usr\/bin\/at$/m);
        expect(stdout).toMatch(/^crontab:x:\d+:$/m);
        expect(stdout).toMatch(/^made$/m);
        expect(stdout).toMatch(/^messagebus:x:\d+:/m);
      },
      8 * minutes,
    );
  }
});
