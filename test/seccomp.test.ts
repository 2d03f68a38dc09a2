/** `linux.seccomp`: what a filter lets through, and what the program sees of the rest. */
import { describe, expect } from "bun:test";
import { lstatSync, readdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { statusField } from "./support/command.ts";
import { type Change, config, type Seccomp, shell } from "./support/config.ts";
import { oursOnly, peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("seccomp");

/** Allows everything but what these rules say. */
const filter =
  (...syscalls: NonNullable<Seccomp["syscalls"]>): Change =>
  (result) => {
    result.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls };
  };

const mkdirs = ["mkdir", "mkdirat"];
const tryMkdir = "mkdir /tmp/x 2>&1; echo $?";
const denied = "mkdir: can't create directory '/tmp/x': Operation not permitted\n1\n";

describe("names of calls that do not exist", () => {
  const unknown = filter({ names: ["no_such_call", ...mkdirs], action: "SCMP_ACT_ERRNO" });

  rootTest("are passed over", async () => {
    expect((await box.run(shell(tryMkdir, unknown))).stdout).toBe(denied);
  });

  peersDiffer({ runc: "it has no such annotation" })(
    "are refused where an annotation asks for it",
    async () => {
      const asked: Change = (result) => {
        unknown(result);
        result.annotations = { "run.oci.seccomp_fail_unknown_syscall": "1" };
      };
      const { status, stderr } = await box.run(shell(tryMkdir, asked));
      expect(status).toBe(1);
      expect(stderr).toContain("no_such_call");
    },
  );
});

describe("actions", () => {
  rootTest("ERRNO gives EPERM, or the error that errnoRet names", async () => {
    const errors: [number | undefined, string][] = [
      [undefined, "Operation not permitted"],
      [1, "Operation not permitted"],
      [13, "Permission denied"],
      [38, "Function not implemented"],
      [95, "Operation not supported"],
    ];
    for (const [errnoRet, message] of errors) {
      const rule = {
        names: mkdirs,
        action: "SCMP_ACT_ERRNO",
        ...(errnoRet === undefined ? {} : { errnoRet }),
      };
      const { stdout } = await box.run(shell(tryMkdir, filter(rule)));
      expect(stdout).toBe(`mkdir: can't create directory '/tmp/x': ${message}\n1\n`);
    }
  });

  for (const action of ["SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"]) {
    rootTest(`${action} ends the program with SIGSYS`, async () => {
      const { status } = await box.run(
        config((result) => {
          filter({ names: mkdirs, action })(result);
          result.process.args = ["mkdir", "/tmp/x"];
        }),
      );
      expect(status).toBe(128 + 31);
    });
  }

  for (const action of ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG"]) {
    rootTest(`${action} lets it through`, async () => {
      expect((await box.run(shell(tryMkdir, filter({ names: mkdirs, action })))).stdout).toBe("0\n");
    });
  }

  rootTest("TRACE without a tracer is ENOSYS", async () => {
    const { stdout } = await box.run(
      shell(tryMkdir, filter({ names: mkdirs, action: "SCMP_ACT_TRACE", errnoRet: 7 })),
    );
    expect(stdout).toContain("Function not implemented");
  });

  rootTest("an unknown one is an error that names it", async () => {
    const { status, stderr } = await box.run(config(filter({ names: mkdirs, action: "SCMP_ACT_NOSUCH" })));
    expect(status).toBe(1);
    expect(stderr).toContain("SCMP_ACT_NOSUCH");
  });
});

describe("the default action", () => {
  // What busybox's shell and mkdir need, and the runtime's own last steps.
  const rest: Change = (result) => {
    result.linux.seccomp = {
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrnoRet: 95,
      syscalls: [
        {
          action: "SCMP_ACT_ALLOW",
          names:
            `access arch_prctl brk capget capset chdir clone close clone3 dup dup2 dup3 epoll_create1 epoll_ctl epoll_pwait
            execve exit exit_group faccessat faccessat2 fchdir fcntl fork fstat fstatfs futex getcwd getdents64 getegid geteuid
            getgid getpgrp getpid getppid getrandom gettid getuid ioctl lseek lstat madvise mmap mprotect munmap nanosleep
            newfstatat open openat openat2 pipe pipe2 poll prctl pread64 prlimit64 read readlink readlinkat restart_syscall
            rseq rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait sched_getaffinity sched_yield seccomp
            set_robust_list set_tid_address setgid setgroups setsid setuid setresuid setresgid sigaltstack stat statx statfs
            tgkill tkill umask uname vfork wait4 write writev`.split(/\s+/),
        },
      ],
    };
  };

  rootTest("holds for all that no rule names, with defaultErrnoRet", async () => {
    const { status, stdout, stderr } = await box.run(shell(tryMkdir, rest));
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: "mkdir: can't create directory '/tmp/x': Operation not supported\n1\n",
      stderr: "",
    });
  });

  rootTest("system calls that this kernel or library does not know are passed over", async () => {
    const { status, stdout } = await box.run(
      shell("echo ok", filter({ names: ["no_such_call", "mkdir", "another"], action: "SCMP_ACT_ERRNO" })),
    );
    expect([status, stdout]).toEqual([0, "ok\n"]);
  });
});

describe("architectures", () => {
  const other = ["MIPS", "PPC64", "S390X", "PARISC", "RISCV64", "LOONGARCH64", "M68K", "SHEB"];

  peersDiffer({
    runc: "1.1.5 refuses those that it does not know, and those of the other byte order",
    crun: "1.8.1 refuses those that it does not know, and those of the other byte order",
  })("of other machines say nothing of this one", async () => {
    const { stdout } = await box.run(
      shell(tryMkdir, (result) => {
        filter({ names: mkdirs, action: "SCMP_ACT_ERRNO" })(result);
        if (result.linux.seccomp)
          result.linux.seccomp.architectures = other.map((name) => `SCMP_ARCH_${name}`);
      }),
    );
    expect(stdout).toBe(denied);
  });
});

describe("arguments", () => {
  /** Which of these modes chmod(2) refuses under a rule for its second argument. */
  async function refused(op: string, value: number, valueTwo?: number): Promise<string[]> {
    const modes = ["0600", "0640", "0644", "0700", "0755"];
    const { stdout } = await box.run(
      shell(
        `for m in ${modes.join(" ")}; do chmod $m /etc/group 2>/dev/null || echo $m; done`,
        filter({
          names: ["chmod", "fchmodat", "fchmodat2"],
          action: "SCMP_ACT_ERRNO",
          args: [{ index: 1, value, ...(valueTwo === undefined ? {} : { valueTwo }), op }],
        }),
      ),
    );
    return stdout.split("\n").filter((line) => line !== "");
  }

  const operators: [string, number, number | undefined, string[]][] = [
    ["SCMP_CMP_EQ", 0o644, undefined, ["0644"]],
    ["SCMP_CMP_NE", 0o644, undefined, ["0600", "0640", "0700", "0755"]],
    ["SCMP_CMP_LT", 0o644, undefined, ["0600", "0640"]],
    ["SCMP_CMP_LE", 0o644, undefined, ["0600", "0640", "0644"]],
    ["SCMP_CMP_GE", 0o644, undefined, ["0644", "0700", "0755"]],
    ["SCMP_CMP_GT", 0o644, undefined, ["0700", "0755"]],
    // The value is the mask, the second one what must be left.
    ["SCMP_CMP_MASKED_EQ", 0o111, 0o111, ["0755"]],
    ["SCMP_CMP_MASKED_EQ", 0o100, 0, ["0600", "0640", "0644"]],
  ];
  for (const [op, value, valueTwo, expected] of operators) {
    rootTest(
      `${op} 0${value.toString(8)}${valueTwo === undefined ? "" : ` 0${valueTwo.toString(8)}`}`,
      async () => {
        expect(await refused(op, value, valueTwo)).toEqual(expected);
      },
    );
  }

  rootTest("several of different arguments must all hold", async () => {
    const rule = (fd: number, mode: number) =>
      filter({
        names: ["write"],
        action: "SCMP_ACT_ERRNO",
        errnoRet: 5,
        args: [
          { index: 0, value: fd, op: "SCMP_CMP_EQ" },
          { index: 2, value: mode, op: "SCMP_CMP_EQ" },
        ],
      });
    const script = "echo a; echo bb; echo ccc";
    expect((await box.run(shell(script, rule(1, 3)))).stdout).toBe("a\nccc\n");
    expect((await box.run(shell(script, rule(2, 3)))).stdout).toBe("a\nbb\nccc\n");
  });

  rootTest("several rules for one call: any of them", async () => {
    const rule = (value: number) => ({
      names: ["chmod"],
      action: "SCMP_ACT_ERRNO",
      args: [{ index: 1, value, op: "SCMP_CMP_EQ" }],
    });
    const { stdout } = await box.run(
      shell(
        "for m in 600 640 644; do chmod $m /etc/group 2>/dev/null || echo $m; done",
        filter(rule(0o600), rule(0o644)),
      ),
    );
    expect(stdout).toBe("600\n644\n");
  });

  rootTest("values of 64 bits are compared whole", async () => {
    const { path } = box.bundle();
    const text = JSON.stringify(
      shell(
        "echo ok",
        filter({
          names: ["lseek"],
          action: "SCMP_ACT_ERRNO",
          args: [{ index: 1, value: 1, op: "SCMP_CMP_EQ" }],
        }),
      ),
    ).replace('"value":1', '"value":18446744073709551615');
    await Bun.write(join(path, "config.json"), text);
    expect((await box.runtime(["run", "--bundle", path, box.id()])).stdout).toBe("ok\n");
  });

  rootTest("an index above 5 and an unknown operator are errors", async () => {
    for (const arg of [
      { index: 6, value: 1, op: "SCMP_CMP_EQ" },
      { index: 0, value: 1, op: "SCMP_CMP_NOSUCH" },
    ]) {
      const { status, stderr } = await box.run(
        config(filter({ names: ["chmod"], action: "SCMP_ACT_ERRNO", args: [arg] })),
      );
      expect([arg.op, status, stderr === ""]).toEqual([arg.op, 1, false]);
    }
  });
});

describe("the filter", () => {
  const mode = async (change: Change): Promise<[string, string]> => {
    const { stdout } = await box.run(
      config((result) => {
        result.process.args = ["cat", "/proc/self/status"];
        change(result);
      }),
    );
    return [statusField(stdout, "Seccomp"), statusField(stdout, "NoNewPrivs")];
  };
  const some = filter({ names: mkdirs, action: "SCMP_ACT_ERRNO" });

  rootTest("is loaded when there is one, and does not set no_new_privs", async () => {
    expect(await mode(() => {})).toEqual(["0", "0"]);
    expect(await mode(some)).toEqual(["2", "0"]);
  });

  rootTest("is loaded for another user too, with and without noNewPrivileges", async () => {
    for (const noNewPrivileges of [false, true]) {
      const found = await mode((result) => {
        some(result);
        result.process.user = { uid: 1000, gid: 1000 };
        result.process.capabilities = {};
        result.process.noNewPrivileges = noNewPrivileges;
      });
      expect(found).toEqual(["2", noNewPrivileges ? "1" : "0"]);
    }
  });

  rootTest("may deny what the runtime itself does before it: it comes late", async () => {
    const names = [
      "mount",
      "umount2",
      "pivot_root",
      "unshare",
      "setns",
      "sethostname",
      "chroot",
      "bpf",
      "keyctl",
    ];
    const { status, stdout } = await box.run(
      shell("echo ok", filter({ names, action: "SCMP_ACT_KILL_PROCESS" })),
    );
    expect([status, stdout]).toEqual([0, "ok\n"]);
  });

  rootTest("with noNewPrivileges it comes last of all", async () => {
    // Without setuid and setgid, which busybox calls when it starts.
    const names = ["setgroups", "setresuid", "setresgid", "capset", "chdir", "fchdir", "umask", "mount"];
    const { status, stdout } = await box.run(
      config((result) => {
        filter({ names, action: "SCMP_ACT_KILL_PROCESS" })(result);
        result.process.noNewPrivileges = true;
        result.process.user = { uid: 1000, gid: 1000, additionalGids: [5] };
        result.process.args = ["echo", "ok"];
      }),
    );
    expect([status, stdout]).toEqual([0, "ok\n"]);
  });

  rootTest("takes the architectures that buildah sends", async () => {
    const { status, stdout } = await box.run(
      shell(tryMkdir, (result) => {
        some(result);
        Object.assign(result.linux.seccomp ?? {}, {
          architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"],
        });
      }),
    );
    expect([status, stdout]).toEqual([0, denied]);
  });

  peersDiffer({ runc: "1.1 has no flags" })("takes flags", async () => {
    for (const flags of [[], ["SECCOMP_FILTER_FLAG_LOG"], ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]]) {
      const { stdout } = await box.run(
        shell(tryMkdir, (result) => {
          some(result);
          Object.assign(result.linux.seccomp ?? {}, { flags });
        }),
      );
      expect([flags, stdout]).toEqual([flags, denied]);
    }
  });

  for (const wrong of [{ architectures: ["SCMP_ARCH_NOSUCH"] }, { flags: ["SECCOMP_FILTER_FLAG_NOSUCH"] }]) {
    const [what = ""] = Object.keys(wrong);
    rootTest(`an unknown value in ${what} is an error that names it`, async () => {
      const { status, stderr } = await box.run(
        config((result) => {
          some(result);
          Object.assign(result.linux.seccomp ?? {}, wrong);
        }),
      );
      expect(status).toBe(1);
      // runc 1.1 refuses any flag.
      expect(stderr).toMatch(/NOSUCH|seccomp flags/);
    });
  }

  peersDiffer({ runc: "1.1 ignores it", crun: "1.8 ignores it" })(
    "an errnoRet with an action that has no error is refused",
    async () => {
      const { status, stderr } = await box.run(
        config(filter({ names: mkdirs, action: "SCMP_ACT_KILL", errnoRet: 1 })),
      );
      expect(status).toBe(1);
      expect(stderr).toMatch(/errnoRet/);
    },
  );
});

describe("the cache of compiled filters", () => {
  const profile = shell(tryMkdir, filter({ names: mkdirs, action: "SCMP_ACT_ERRNO" }));
  /** The regular files beneath the state root. */
  function files(directory: string): string[] {
    return readdirSync(directory).flatMap((name) => {
      const path = join(directory, name);
      const entry = lstatSync(path);
      if (entry.isDirectory()) return files(path);
      return entry.isFile() ? [path] : [];
    });
  }

  rootTest("gives the same filter the second time", async () => {
    for (let round = 0; round < 2; round++) expect((await box.run(profile)).stdout).toBe(denied);
  });

  oursOnly("cannot be written by anyone else", async () => {
    await box.run(profile);
    for (const path of files(box.state).flatMap((file) => [file, join(file, "..")])) {
      const { mode, uid } = lstatSync(path);
      expect([path, mode & 0o022, uid]).toEqual([path, 0, 0]);
    }
  });

  oursOnly("is not believed when it has been damaged", async () => {
    await box.run(profile);
    for (const file of files(box.state)) truncateSync(file, 0);
    expect((await box.run(profile)).stdout).toBe(denied);
    for (const file of files(box.state)) await Bun.write(file, "x".repeat(64));
    expect((await box.run(profile)).stdout).toBe(denied);
  });

  rootTest("is no other profile's", async () => {
    expect((await box.run(profile)).stdout).toBe(denied);
    const other = shell(tryMkdir, filter({ names: ["rmdir"], action: "SCMP_ACT_ERRNO" }));
    expect((await box.run(other)).stdout).toBe("0\n");
  });
});
