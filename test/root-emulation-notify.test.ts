/** `--root-emulation=notify`: what chown set is what stat shows. */
import { describe, expect } from "bun:test";
import {
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ERRNO } from "../ffi/constants/errno.ts";
import { attempt } from "../ffi/libc.ts";
import { canMakeAccounts, withoutSubordinateIds } from "./support/accounts.ts";
import { Buildah, reachable } from "./support/buildah.ts";
import {
  command,
  type Finished,
  isAlive,
  output,
  processStatus,
  statusField,
  until,
} from "./support/command.ts";
import { type Change, rootless, shell } from "./support/config.ts";
import { addDpkg, hasDpkg, makePackage } from "./support/dpkg.ts";
import { hasProgram, runtimeKind, runtimePath, searchPath } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("root-emulation-notify");
const ours = canMakeAccounts && runtimeKind === "bunc";
const userTest = testIf(ours, "needs root, useradd, setpriv; bunc's own design");

/** Runs a script in a container of busybox, as a user with one id, who is root there. */
async function run(script: string, change: Change = () => {}): Promise<Finished> {
  const account = withoutSubordinateIds();
  const configuration = shell(script, (result) => {
    rootless(result, account.uid, account.gid);
    change(result);
  });
  const { path } = box.bundle(configuration);
  await output(["chown", "-R", "-h", `${account.uid}:${account.gid}`, path]);
  const globals = ["--root-emulation=notify"];
  const argv = [...account.become, reachable(box), ...globals, "run", "--bundle", path, box.id()];
  return command(argv, { cwd: path, env: { PATH: searchPath, XDG_RUNTIME_DIR: path } });
}

describe("a container with one id", () => {
  userTest("stat shows what chown set, of every kind of file", async () => {
    const { stdout, stderr } = await run(
      "cd /tmp; touch f; mkdir d; ln -s f l; mkfifo p; chown 12:34 f d p; chown -h 5:6 l; stat -c '%n %u:%g %F' f d l p; stat -Lc %u:%g l",
    );
    expect(stderr).toBe("");
    expect(stdout).toBe(
      "f 12:34 regular empty file\nd 12:34 directory\nl 5:6 symbolic link\np 12:34 fifo\n12:34\n",
    );
  });

  userTest(
    "by any way to the file: relative, up, by links, by a descriptor, under another root",
    async () => {
      const { stdout, stderr } = await run(
        `cd /tmp; mkdir -p a/b; touch a/f; ln -s /tmp/a/f abs; ln -s ../../tmp/a/f up
       cd a/b; chown 1:1 ../f; stat -c %u:%g /tmp/a/f; chown 2:2 ../../abs; stat -Lc %u:%g ../../up
       exec 3< ../f; chown 3:3 /proc/self/fd/3; stat -Lc %u:%g /dev/fd/3; cd /tmp; stat -c %u:%g a/f
       mkdir -p r/bin; cp /bin/busybox r/bin; ln r/bin/busybox r/bin/chown; ln r/bin/busybox r/bin/sh
       touch r/g; ln -s /g r/l; mkdir r/d
       chroot r sh -c 'chown 4:4 /l; cd d; chown 5 ../../../g'; stat -c %u:%g r/g; ls r`,
        (result) => {
          for (const set of Object.values(result.process.capabilities ?? {})) set.push("CAP_SYS_CHROOT");
        },
      );
      expect(stderr).toBe("");
      expect(stdout).toBe("1:1\n2:2\n3:3\n3:3\n5:4\nbin\nd\ng\nl\n");
    },
  );

  userTest(
    "a new name, a hard link, and a copy that keeps owners have it, another file has not",
    async () => {
      const { stdout } = await run(
        `cd /tmp; mkdir t; touch t/f t/g; ln -s x t/l; chown 12:34 t/f; chown -h 5:6 t/l; chmod 640 t/f
       mv t/f t/moved; ln t/moved t/hard; cp -a t copy; tar -cf t.tar t; mkdir out; tar -xf t.tar -C out
       for d in t copy out/t; do stat -c '%n %u:%g %a' $d/moved $d/hard $d/l $d/g; done; tar -tvf t.tar | grep -c 12/34`,
      );
      const of = (d: string, link = "5:6") =>
        `${d}/moved 12:34 640\n${d}/hard 12:34 640\n${d}/l ${link} 777\n${d}/g 0:0 644\n`;
      expect(stdout).toBe(`${of("t")}${of("copy")}${of("out/t", "0:0")}2\n`);
    },
  );

  userTest("a file that is given to whom it belongs is left as it is", async () => {
    const directory = box.directory("given");
    await output(["chown", `${withoutSubordinateIds().uid}:${withoutSubordinateIds().gid}`, directory]);
    const mount = { destination: "/mnt", type: "bind", source: directory, options: ["bind"] };
    const { stdout } = await run(
      "cd /mnt; touch f g; chown 0:0 f; chown 5 g; chown 0:0 g; stat -c %u:%g f g",
      (result) => result.mounts.push(mount),
    );
    expect(stdout).toBe("0:0\n0:0\n");
    const length = (name: string) =>
      attempt.getxattr(join(directory, name), "user.bunc.owner", new Uint8Array(64), 64);
    expect([length("f"), length("g")]).toEqual([-ERRNO.ENODATA, "0:0".length]);
  });

  userTest("of a standard stream, by its name in /dev", async () => {
    const { stdout, stderr } = await run("chown 7:8 /dev/stderr; stat -Lc %u:%g /dev/stderr");
    expect([stdout, stderr]).toEqual(["7:8\n", ""]);
  });

  userTest("an owner alone, a group alone; back to root", async () => {
    const { stdout } = await run(
      "cd /tmp; touch f; for who in 7 :8 9 0:0; do chown $who f; stat -c %u:%g f; done",
    );
    expect(stdout).toBe("7:0\n7:8\n9:8\n0:0\n");
  });

  userTest(
    "devices are shown with their numbers, and are files that can be changed and removed",
    async () => {
      const { stdout, stderr } = await run(
        `cd /tmp; umask 027; mknod c c 1 3; mknod -m 600 b b 259 1048575; chown 0:6 b; stat -c '%n %F %t:%T %a %g' c b
       test -c c && test -b b && mv c d && cp -a d e && stat -c '%F %t:%T' e && rm d b e && ls -A; mknod x/y c 1 1
       mkdir x; mknod x c 1 1; mknod x/ c 1 1; mknod z/ c 1 1`,
      );
      expect(stdout).toBe(
        "c character special file 1:3 640 0\nb block special file 103:fffff 600 6\ncharacter special file 1:3\n",
      );
      expect(stderr).toBe(
        "mknod: x/y: No such file or directory\nmknod: x: File exists\nmknod: x/: File exists\nmknod: z/: No such file or directory\n",
      );
    },
  );

  userTest("what chown does beside: errors, the time of change, set-id bits", async () => {
    const { stdout, stderr } = await run(
      `cd /tmp; chown 1 missing; chown 1 /proc/self; touch f; chmod 6755 f; chown 12 f; stat -c %a f; ln -s loop loop; chown 1 loop`,
    );
    expect(stdout).toBe("755\n");
    expect(stderr).toContain("missing: No such file or directory");
    expect(stderr).toMatch(/loop: (Too many levels of symbolic links|Symbolic link loop)/);
  });

  userTest("a read-only file system stays as it is", async () => {
    const { stdout, stderr } = await run("chown 12 /etc/group; stat -c %u /etc/group", (result) => {
      result.root.readonly = true;
    });
    expect([stdout, stderr]).toEqual(["0\n", "chown: /etc/group: Read-only file system\n"]);
  });

  userTest("of many processes that ask at once each gets its own answer", async () => {
    const { status, stdout } = await run(
      `cd /tmp; touch 1 2 3 4 5 6 7 8; for n in *; do (for i in $(seq 1 20); do
         chown $n:$i $n; [ "$(stat -c %u:%g $n)" = $n:$i ] || echo $n:$i is wrong; done; echo $n is done) & done; wait`,
    );
    expect(stdout.split("\n").filter((line) => line.includes("wrong"))).toEqual([]);
    expect([status, stdout.match(/is done/g)?.length]).toEqual([0, 8]);
  });

  userTest("a file whose name is no UTF-8", async () => {
    const { stdout } = await run(
      `cd /tmp; f=$(printf 'x\\377y'); touch "$f"; chown 12:34 "$f"; stat -c %u:%g "$f"; stat -c %u:%g x*`,
    );
    expect(stdout).toBe("12:34\n12:34\n");
  });
});

describe("the supervisor", () => {
  /** The processes that answer for the containers of this file's user. */
  const supervisors = (): number[] =>
    readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0 && isSupervisor(pid));

  const isSupervisor = (pid: number): boolean => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return (
        command.includes("\0supervise-root\0") &&
        isAlive(pid) &&
        statusField(processStatus(pid), "Uid").startsWith(`${withoutSubordinateIds().uid}\t`)
      );
    } catch {
      // It has ended meanwhile.
      return false;
    }
  };

  /** A container that waits for its end, made and started as a caller does. */
  async function start(script: string) {
    const account = withoutSubordinateIds();
    const configuration = shell(script, (result) => rootless(result, account.uid, account.gid));
    const { path, rootfs } = box.bundle(configuration);
    await output(["chown", "-R", "-h", `${account.uid}:${account.gid}`, path]);
    const id = box.id();
    const call = (...args: string[]) =>
      command([...account.become, reachable(box), "--root-emulation=notify", ...args], {
        cwd: path,
        env: { PATH: searchPath, XDG_RUNTIME_DIR: path },
      });
    const file = openSync(join(path, "output"), "a");
    const made = await command(
      [...account.become, reachable(box), "--root-emulation=notify", "create", "--bundle", path, id],
      { cwd: path, env: { PATH: searchPath, XDG_RUNTIME_DIR: path }, stdout: file, stderr: file },
    );
    closeSync(file);
    expect([made.status, readFileSync(join(path, "output"), "utf8")]).toEqual([0, ""]);
    expect(supervisors()).toEqual([]);
    expect(await call("start", id)).toEqual({ status: 0, stdout: "", stderr: "" });
    return { id, call, rootfs, output: () => readFileSync(join(path, "output"), "utf8") };
  }

  const waiting = "touch /tmp/f; chown 1:2 /tmp/f; echo ready; trap exit TERM; while :; do sleep 1; done";

  userTest("answers what exec adds, from what it knows; it is gone when the container is", async () => {
    const { id, call, output: written } = await start(waiting);
    await until("the container", () => written().includes("ready"));
    expect(supervisors()).toHaveLength(1);
    const { stdout, stderr } = await call(
      "exec",
      id,
      "sh",
      "-c",
      "stat -c %u:%g /tmp/f; chown 3 /tmp/f; mkfifo /tmp/p; chown 4:5 /tmp/p",
    );
    expect([stdout, stderr]).toEqual(["1:2\n", ""]);
    expect((await call("exec", id, "stat", "-c", "%u:%g", "/tmp/f", "/tmp/p")).stdout).toBe("3:2\n4:5\n");
    expect(supervisors()).toHaveLength(1);
    expect((await call("delete", "--force", id)).status).toBe(0);
    await until("its end", () => supervisors().length === 0);
  });

  userTest(
    "is nothing that criu can restore: a checkpoint is refused, and the container goes on",
    async () => {
      const { id, call, rootfs, output: written } = await start(waiting);
      await until("the container", () => written().includes("ready"));
      const state = ["--root", join(rootfs, "../bunc")];
      const images = ["--image-path", box.directory("images")];
      expect(await command([runtimePath, ...state, "checkpoint", ...images, id])).toEqual({
        status: 1,
        stdout: "",
        stderr: `bunc: cannot checkpoint container "${id}": a supervisor (--root-emulation=notify) answers system calls of it, and criu cannot restore that\n`,
      });
      expect((await call("exec", id, "stat", "-c", "%u:%g", "/tmp/f")).stdout).toBe("1:2\n");
      await call("delete", "--force", id);
      await until("its end", () => supervisors().length === 0);
    },
  );

  userTest("waits for nobody who calls it and says nothing", async () => {
    const { id, call, rootfs, output: written } = await start(waiting);
    await until("the container", () => written().includes("ready"));
    // The path of a socket has 107 bytes.
    const link = join(box.path, "container");
    symlinkSync(join(rootfs, "../bunc", id), link);
    const silent = await Bun.connect({ unix: `${link}/supervisor`, socket: { data() {} } });
    expect((await call("exec", id, "stat", "-c", "%u:%g", "/tmp/f")).stdout).toBe("1:2\n");
    silent.end();
    await call("delete", "--force", id);
    await until("its end", () => supervisors().length === 0);
  });

  userTest("when it dies nobody waits: the calls that it answered do not exist any more", async () => {
    const {
      id,
      call,
      rootfs,
      output: written,
    } = await start(
      // It waits at another FIFO in the end: the first may still be open where it was written, and then gives an end of file.
      `mkfifo /tmp/go /tmp/stay; echo ready; read x < /tmp/go; stat /tmp; echo $?; chown 1 /tmp; echo $?; echo end; read x < /tmp/stay`,
    );
    await until("the container", () => written().includes("ready"));
    const [supervisor] = supervisors();
    process.kill(supervisor ?? 0, "SIGKILL");
    await until("its end", () => supervisors().length === 0);
    writeFileSync(join(rootfs, "tmp/go"), "\n");
    await until("the end of the container's script", () => written().includes("end\n"));
    expect(written()).toContain("Function not implemented");
    const { status, stderr } = await call("exec", id, "true");
    expect([status, stderr]).toEqual([255, expect.stringContaining("supervisor of root emulation")]);
    await call("delete", "--force", id);
  });
});

describe("a supervisor with more rights than the container", () => {
  for (const [hostID, size, why] of [
    [100_000, 65_536, "maps 65536 user ids"],
    [100_000, 1, "would be user 0, and the container's root is user 100000"],
    [0, 1, "rights over other users' files"],
  ] as const) {
    userTest(`is refused to root: ${size} ids from ${hostID}`, async () => {
      // A directory of somebody else's, in which the container could otherwise have a file made and then write to it.
      const directory = box.directory("others");
      await output(["chown", "12:12", directory]);
      const outcome = await box.run(
        shell("mknod -m 666 /mnt/made c 1 3", (result) => {
          const map = [{ containerID: 0, hostID, size }];
          result.linux.namespaces.push({ type: "user" });
          result.linux.uidMappings = map;
          result.linux.gidMappings = map;
          result.mounts.push({ destination: "/mnt", type: "bind", source: directory, options: ["bind"] });
        }),
        { globals: ["--root-emulation=notify"] },
      );
      expect([outcome.status, outcome.stdout]).toEqual([1, ""]);
      expect(outcome.stderr).toStartWith("bunc: --root-emulation asks for notify, but ");
      expect(outcome.stderr).toContain(why);
      expect(readdirSync(directory)).toEqual([]);
    });
  }

  userTest("nor does root start one for a user's container", async () => {
    const account = withoutSubordinateIds();
    const configuration = shell("true", (result) => rootless(result, account.uid, account.gid));
    const { path } = box.bundle(configuration);
    await output(["chown", "-R", "-h", `${account.uid}:${account.gid}`, path]);
    const id = box.id();
    const state = ["--root", join(path, "state")];
    const argv = [reachable(box), ...state, "--root-emulation=notify", "create", "--bundle", path, id];
    const file = openSync(join(path, "output"), "a");
    await command([...account.become, ...argv], { cwd: path, stdout: file, stderr: file });
    closeSync(file);
    const { status, stderr } = await command([runtimePath, ...state, "start", id]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^bunc: root emulation notify cannot be had from this caller: [^\n]+\n$/),
    ]);
    expect((await command([runtimePath, ...state, "delete", "--force", id])).status).toBe(0);
  });
});

describe("what cannot be", () => {
  userTest("a profile that has calls answered by an agent, too", async () => {
    const { status, stderr } = await run("true", (result) => {
      result.linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        listenerPath: "/agent",
        syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
      };
    });
    expect([status, stderr]).toEqual([
      1,
      "bunc: --root-emulation asks for notify, but linux.seccomp has SCMP_ACT_NOTIFY, and a process has one listener: ask for seccomp, or leave it out\n",
    ]);
  });

  userTest("what the profile refuses stays refused", async () => {
    const { stdout } = await run("touch /tmp/f; chown 5 /tmp/f 2>&1; stat -c %u /tmp/f", (result) => {
      const names = ["chown", "fchown", "lchown", "fchownat"];
      result.linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names, action: "SCMP_ACT_ERRNO" }],
      };
    });
    expect(stdout).toBe("chown: /tmp/f: Operation not permitted\n0\n");
  });
});

const builds = ours && hasProgram("buildah") && hasDpkg;

describe("a build by a user with no subordinate ids", () => {
  testIf(builds, "needs root, buildah, useradd, dpkg; bunc's own design")(
    "later steps see the owners and devices of earlier ones, and dpkg's",
    async () => {
      const buildah = new Buildah(box, withoutSubordinateIds(), "oci");
      const { rootfs } = box.bundle();
      await addDpkg(rootfs);
      copyFileSync(await makePackage(box), join(rootfs, "kept.deb"));
      const steps = [
        "FROM scratch",
        "COPY . /",
        "ENV PATH=/bin:/usr/bin",
        "RUN mkdir d && touch d/f && chown 12:34 d/f && chown -R 5:6 d && chown 7 d && mknod c c 1 3",
        "RUN stat -c '%n %u:%g %F' d d/f c && cp -a d copy && stat -c '%n %u:%g' copy copy/f",
        "RUN /usr/bin/dpkg -i /kept.deb",
        "RUN ls -lnA /var/spool /var/spool/kept /usr/share/kept",
      ];
      const flags = ["--runtime-flag", "root-emulation=notify"];
      const { status, stdout, stderr } = await buildah.build(steps, {
        flags: [...flags, "--tag", "owned", rootfs],
      });
      expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
      expect(stdout).toContain("d 7:6 directory\nd/f 5:6 regular empty file\nc 0:0 character special file\n");
      expect(stdout).toContain("copy 7:6\ncopy/f 5:6\n");
      // Links and FIFOs cannot have the attribute: they are root's again.
      expect(stdout).toMatch(/^-rw-r--r-- +1 123 +456 .* file$/m);
      expect(stdout).toMatch(/^lrwxrwxrwx +1 0 +0 .* link -> file$/m);
      expect(stdout).toMatch(/^crw-r--r-- +1 0 +0 +1, +3 .* null$/m);
      expect(stdout).toMatch(/^prw-r--r-- +1 0 +0 .* queue$/m);
      expect(stdout).toMatch(/^drwxrws--- +2 999 +999 .* kept$/m);
      const next = await buildah.build(["FROM localhost/owned", "RUN stat -c '%n %u:%g %F' /d /d/f /c"], {
        flags,
      });
      expect(next.stdout).toContain(
        "/d 7:6 directory\n/d/f 5:6 regular empty file\n/c 0:0 character special file\n",
      );
    },
  );
});
