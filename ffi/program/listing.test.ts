import { describe, expect, test } from "bun:test";
import { ERRNO } from "../constants/errno.ts";
import { AT, O, RESOLVE } from "../constants/file.ts";
import { MOUNT_ATTR, MS, OPEN_TREE } from "../constants/mount.ts";
import { CLONE, PR, RLIMIT, SECCOMP } from "../constants/process.ts";
import { SIG } from "../constants/signal.ts";
import { CAP_DATA_SIZE, capData, capHeader } from "../structs/capability.ts";
import { CLONE_ARGS, CLONE_ARGS_SIZE, cloneArgs } from "../structs/clone-args.ts";
import { MOUNT_ATTR_SIZE, mountAttr } from "../structs/mount-attr.ts";
import { OPEN_HOW_SIZE, openHow } from "../structs/open-how.ts";
import { RLIM64_INFINITY, rlimit64 } from "../structs/rlimit64.ts";
import { SOCK_FPROG_FILTER, sockFprog } from "../structs/sock-fprog.ts";
import { compile } from "./image.ts";
import { describeStep, listing } from "./listing.ts";
import { newProgram, type Program } from "./program.ts";

describe("a listing", () => {
  test("names origins, results, errors that are foreseen, and labels", () => {
    const program = newProgram();
    program.because("mounts[3]");
    const [fallback, done] = [program.label("sysfs-fallback"), program.label("done")];
    const tree = program.register("tree");
    program
      .open_tree(AT.FDCWD, "/proc", OPEN_TREE.CLONE)
      .into(tree)
      .orJump(fallback, ERRNO.EPERM, ERRNO.EINVAL);
    program.jump(done);
    program.place(fallback);
    program.openat(AT.FDCWD, "/sys", O.PATH, 0).into(tree);
    program.place(done);
    program.because("");
    program.close(tree).ignore();
    program.umask(0o22).ignore(ERRNO.EPERM);
    program.getpid().ifNonZero(program.label("parent"));
    expect(listing(program)).toEqual([
      '@mounts[3] tree=open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE) !EPERM,EINVAL→sysfs-fallback',
      "@mounts[3] jump(done)",
      "sysfs-fallback:",
      '@mounts[3] tree=openat(AT_FDCWD, "/sys", O_PATH, 00)',
      "done:",
      "close(tree) !any",
      "umask(022) !EPERM",
      "getpid() ≠0→parent",
      "parent:",
    ]);
  });

  test("numbers the results that are used directly", () => {
    const program = newProgram();
    const root = program.register("root", 5);
    const first = program.openat(root, "a", O.RDONLY, 0);
    program.close(program.dup3(first, program.getpid(), 0));
    expect(listing(program)).toEqual([
      '$1=openat(root, "a", O_RDONLY, 00)',
      "$2=getpid()",
      "$3=dup3($1, $2, O_RDONLY)",
      "close($3)",
    ]);
  });

  test("shows steps that are no calls", () => {
    const program = newProgram();
    const [status, pid] = [program.space(144, "{stat}"), program.register("pid")];
    program.set(7).into(pid);
    program.set(pid).into(program.report);
    program.store(program.data(new Uint8Array(16)).at(8), pid, 4);
    program.store(status, 1, 8);
    program.expect(status.at(24), 0o170000, 0o20000, ERRNO.ENODEV);
    program.expect(pid, -1, program.getppid(), ERRNO.ESRCH);
    program.expect(status, -1, 12, ERRNO.EIO);
    program.fail(ERRNO.EPERM);
    program.forget(2);
    expect(listing(program)).toEqual([
      "pid=set(7)",
      "report=set(pid)",
      "store({16 bytes}+8, pid, 4)",
      "store({stat}, 1, 8)",
      "expect({stat}+24 & 0xf000 == 0x2000, ENODEV)",
      "$1=getppid()",
      "expect(pid == $1, ESRCH)",
      "expect({stat} == 12, EIO)",
      "fail(EPERM)",
      "forget() !any",
      "forget() !any",
      "forget() !any",
    ]);
  });

  test("decodes the kernel's structs, unless a note stands for them", () => {
    const program = newProgram();
    const how = openHow(O.PATH | O.CLOEXEC, 0, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS);
    program.openat2(5, "dev", how, OPEN_HOW_SIZE);
    program.mount_setattr(
      5,
      "",
      AT.EMPTY_PATH,
      mountAttr({ set: MOUNT_ATTR.RDONLY, propagation: MS.SLAVE }),
      MOUNT_ATTR_SIZE,
    );
    const args = program.data(
      cloneArgs({ flags: CLONE.PARENT | CLONE.NEWPID, exitSignal: SIG.CHLD, cgroup: 3 }),
    );
    program.clone3(args, CLONE_ARGS_SIZE);
    program.store(args.at(CLONE_ARGS.cgroup), 4, 8);
    program.prlimit64(0, RLIMIT.NOFILE, rlimit64(1024, RLIM64_INFINITY), null);
    program.capset(capHeader(), capData({ effective: 1n, permitted: 2n ** 40n, inheritable: 0n }));
    const filter = program.data(sockFprog(213));
    program.link(filter.at(SOCK_FPROG_FILTER), program.constant(new Uint8Array(213 * 8)));
    program.seccomp(SECCOMP.SET_MODE_FILTER, 0, filter);
    program.prctl(PR.SET_NAME, "bunc", 0, 0, 0);
    program.capget(program.constant(new Uint8Array(8), "{noted}"), program.space(CAP_DATA_SIZE));
    program.execve("/bin/sh", program.vector(["sh", "-c", "größe"]), program.vector([]));
    expect(listing(program)).toEqual([
      'openat2(5, "dev", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24)',
      'mount_setattr(5, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY, propagation=MS_SLAVE}, 32)',
      "clone3({flags=CLONE_PARENT|CLONE_NEWPID|CLONE_INTO_CGROUP, exit_signal=SIGCHLD, cgroup=3}, 88)",
      "store({88 bytes}+80, 4, 8)",
      "prlimit64(0, RLIMIT_NOFILE, {rlim_cur=1024, rlim_max=RLIM64_INFINITY}, NULL)",
      "capset({pid=0}, {effective=0x1, permitted=0x10000000000, inheritable=0x0})",
      "seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=213})",
      'prctl(PR_SET_NAME, "bunc", 0, 0, 0)',
      "capget({noted}, {24 bytes})",
      'execve("/bin/sh", ["sh", "-c", "größe"], [])',
    ]);
  });

  test("knows registers by their names when they share slots", () => {
    const program = newProgram();
    for (let i = 0; i < 300; i++) {
      const fd = program.register(`fd${i}`);
      program.openat(AT.FDCWD, ".", O.PATH, 0).into(fd);
      program.dup3(fd, 9, 0).into(program.register(`copy${i}`));
      program.close(fd);
    }
    const lines = listing(program);
    expect(lines.slice(0, 3)).toEqual([
      'fd0=openat(AT_FDCWD, ".", O_PATH, 00)',
      "dup3(fd0, 9, O_RDONLY)",
      "close(fd0)",
    ]);
    expect(lines[899]).toBe("close(fd299)");
  });
});

describe("a step is explained", () => {
  const record = (): Program => {
    const program = newProgram();
    program.because("process.user");
    program.setresuid(-1, program.getuid(), 7);
    program.because("process.args[0]");
    program.execve("/bin/sh", program.vector(["sh"]), program.vector([]));
    return program;
  };

  test("from the program, from its image, and from an image for the other machine", () => {
    const program = record();
    for (const image of [program, compile(program, "x64"), compile(program, "arm64")]) {
      expect(describeStep(image, 1)).toEqual({ origin: "process.user", call: "setresuid(-1, $1, 7)" });
      expect(describeStep(image, 2)).toEqual({
        origin: "process.args[0]",
        call: 'execve("/bin/sh", ["sh"], [])',
      });
    }
  });

  test("from bytes that are not aligned, as a file's may not be", () => {
    const image = compile(record());
    const moved = new Uint8Array(image.length + 1);
    moved.set(image, 1);
    expect(describeStep(moved.subarray(1), 1).call).toBe("setresuid(-1, $1, 7)");
  });

  test("as what it was before a fault was planted", () => {
    const image = compile(record(), "x64", { number: 1, errno: ERRNO.EPERM });
    expect(describeStep(image, 1)).toEqual({ origin: "process.user", call: "setresuid(-1, $1, 7)" });
  });

  test("not when there is no such step, or no program", () => {
    expect(() => describeStep(record(), 3)).toThrow("step 3 of a program of 3");
    expect(() => describeStep(new Uint8Array(10), 0)).toThrow("not the image of a program");
    expect(() => describeStep(new Uint8Array(10_000), 0)).toThrow("not the image of a program");
    const cut = compile(record()).subarray(0, 6000);
    expect(() => describeStep(cut, 0)).toThrow("not the image of a program");
  });
});
