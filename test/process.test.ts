/** `process`: which program runs, as whom, where, and with what environment. */
import { describe, expect } from "bun:test";
import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Change, config, shell } from "./support/config.ts";
import { runtimeKind } from "./support/machine.ts";
import { peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("process");

/** What a script prints, run with this change of the config. */
async function print(
  script: string,
  change: Change = () => {},
  prepare?: (rootfs: string) => void,
): Promise<string> {
  const { status, stdout, stderr } = await box.run(
    shell(script, change),
    prepare === undefined ? {} : { prepare },
  );
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

describe("user", () => {
  rootTest("uid, gid and additional groups", async () => {
    const ids = await print("id -u; id -g; id -G", (result) => {
      result.process.user = { uid: 1234, gid: 2345, additionalGids: [7, 400_000] };
    });
    expect(ids).toBe("1234\n2345\n2345 7 400000\n");
  });

  peersDiffer({ runc: "it takes ids below 2^31 only" })("ids above 2^31", async () => {
    const ids = await print("id -u; id -g; id -G", (result) => {
      result.process.user = { uid: 4_000_000_000, gid: 4_000_000_001, additionalGids: [4_000_000_002] };
    });
    expect(ids).toBe("4000000000\n4000000001\n4000000001 4000000002\n");
  });

  rootTest("no additional groups means none, not those of the caller", async () => {
    const wrap = ["setpriv", "--groups=11,12", "--"];
    const { stdout } = await box.run(shell("grep ^Groups: /proc/self/status"), { wrap });
    expect(stdout.replace(/\s+/g, " ").trim()).toBe("Groups:");
  });

  rootTest("real, effective, saved and file system ids are the same", async () => {
    const ids = await print("grep -E '^[UG]id:' /proc/self/status", (result) => {
      result.process.user = { uid: 5, gid: 6 };
    });
    expect(ids).toBe("Uid:\t5\t5\t5\t5\nGid:\t6\t6\t6\t6\n");
  });

  rootTest("its standard streams can be opened again when they are pipes", async () => {
    // What the test's own output goes to may be a socket, which nobody can open.
    const wrap = ["sh", "-c", '"$@" 2>&1 | cat', "sh"];
    const { stdout } = await box.run(
      shell("echo again > /proc/self/fd/1; echo and again > /dev/stderr", (result) => {
        result.process.user = { uid: 1000, gid: 1000 };
      }),
      { wrap },
    );
    expect(stdout).toBe("again\nand again\n");
  });
});

describe("umask", () => {
  rootTest("is 022 unless set, whatever the caller's is", async () => {
    const wrap = ["sh", "-c", 'umask 077; exec "$@"', "sh"];
    expect((await box.run(shell("umask"), { wrap })).stdout).toBe("0022\n");
  });

  peersDiffer({ crun: "1.8 writes device modes through it" })("is the one that is set", async () => {
    const umask =
      (value: number): Change =>
      (result) => {
        result.process.user.umask = value;
      };
    expect(await print("umask", umask(0o027))).toBe("0027\n");
    expect(await print("umask", umask(0))).toBe("0000\n");
  });
});

describe("cwd", () => {
  rootTest("is where the program starts", async () => {
    expect(
      await print("pwd; readlink /proc/self/cwd", (result) => (result.process.cwd = "/home/somebody")),
    ).toBe("/home/somebody\n/home/somebody\n");
  });

  rootTest("is made when it does not exist", async () => {
    expect(await print("pwd", (result) => (result.process.cwd = "/srv/a/b"))).toBe("/srv/a/b\n");
  });

  rootTest("may be a directory that only the container's user can enter", async () => {
    const change: Change = (result) => {
      result.process.cwd = "/home/somebody";
      result.process.user = { uid: 1000, gid: 1000 };
      result.process.capabilities = {};
    };
    const home = (rootfs: string) => join(rootfs, "home/somebody");
    const { status, stdout } = await box.run(shell("pwd", change), {
      prepare: (rootfs) => {
        chmodSync(home(rootfs), 0o700);
        Bun.spawnSync(["chown", "1000:1000", home(rootfs)]);
      },
    });
    expect([status, stdout]).toEqual([0, "/home/somebody\n"]);
  });

  rootTest("that is no directory is an error that names it", async () => {
    const { status, stderr } = await box.run(
      shell("pwd", (result) => (result.process.cwd = "/etc/passwd/x")),
    );
    expect(status).toBe(1);
    expect(stderr).toContain("etc/passwd");
  });
});

describe("env", () => {
  const environment =
    (...env: string[]): Change =>
    (result) => {
      result.process.env = env;
    };
  // `env` is the program itself: a shell would add variables of its own.
  const printEnv = async (...env: string[]): Promise<string[]> => {
    const change = environment(...env);
    const result = config((changed) => {
      changed.process.args = ["/bin/env"];
      change(changed);
    });
    return (await box.run(result)).stdout.split("\n").slice(0, -1).sort();
  };

  rootTest("is the config's, and nothing else but HOME", async () => {
    expect(await printEnv("A=1", "PATH=/bin", "EMPTY=", "EQUALS=a=b=c", "TEXT=two words\tü")).toEqual([
      "A=1",
      "EMPTY=",
      "EQUALS=a=b=c",
      "HOME=/root",
      "PATH=/bin",
      "TEXT=two words\tü",
    ]);
  });

  rootTest("HOME that is set stays", async () => {
    expect(await printEnv("HOME=/elsewhere")).toEqual(["HOME=/elsewhere"]);
  });

  rootTest("HOME comes from the container's passwd", async () => {
    const change: Change = (result) => {
      result.process.user = { uid: 1000, gid: 1000 };
    };
    expect(await print("echo $HOME", change)).toBe("/home/somebody\n");
  });

  peersDiffer({ crun: "1.8 sets none then" })(
    "HOME is / for a user that passwd does not know, and without a passwd",
    async () => {
      const change: Change = (result) => {
        result.process.user = { uid: 77, gid: 77 };
      };
      expect(await print("echo $HOME", change)).toBe("/\n");
      expect(await print("echo $HOME", change, (rootfs) => rmSync(join(rootfs, "etc/passwd")))).toBe("/\n");
    },
  );

  peersDiffer({ crun: "1.8 sets none then" })(
    "HOME survives a passwd that is no list of users, or is endless",
    async () => {
      const broken: ((path: string) => void)[] = [
        (path) => writeFileSync(path, "x::99\n\n:x:98\nnobody:x:97:97::/"),
        (path) => writeFileSync(path, `${"x".repeat(1 << 20)}\n`),
        (path) => symlinkSync("/dev/zero", path),
        (path) => mkdirSync(path),
        (path) => symlinkSync("passwd", path),
      ];
      for (const make of broken) {
        // Peers fail on a file that has no end of a line, and on a directory.
        if (runtimeKind !== "bunc" && make !== broken[0] && make !== broken[4]) continue;
        const { status, stdout } = await box.run(shell('echo "$HOME"'), {
          prepare: (rootfs) => {
            rmSync(join(rootfs, "etc/passwd"));
            make(join(rootfs, "etc/passwd"));
          },
        });
        expect([make.toString(), status, stdout]).toEqual([make.toString(), 0, "/\n"]);
      }
    },
  );

  rootTest("the last of two values wins", async () => {
    expect(await print("echo $A", environment("PATH=/bin", "A=first", "A=last"))).toBe("last\n");
  });

  rootTest("an entry without = is an error, or passed on as it is", async () => {
    const { status, stdout, stderr } = await box.run(
      config((result) => {
        result.process.args = ["/bin/env"];
        result.process.env = ["NOTHING", "B=2"];
      }),
    );
    if (status === 0) expect(stdout).toContain("B=2\n");
    else expect(stderr).toMatch(/env/);
  });
});

describe("args", () => {
  rootTest("reach the program as they are", async () => {
    const args = [
      "printf",
      "%s|",
      "",
      " two  words ",
      "new\nline",
      "quote\"'\\",
      "$HOME",
      "*",
      "é",
      "x".repeat(10_000),
    ];
    const { stdout } = await box.run(config((result) => (result.process.args = args)));
    expect(stdout).toBe(
      args
        .slice(2)
        .map((word) => `${word}|`)
        .join(""),
    );
  });

  rootTest("the program is looked up in the container's PATH, in order", async () => {
    const { stdout } = await box.run(
      config((result) => {
        result.process.args = ["tool"];
        result.process.env = ["PATH=/nosuch:/first:/second"];
      }),
      {
        prepare: (rootfs) => {
          for (const directory of ["first", "second"]) {
            mkdirSync(join(rootfs, directory));
            writeFileSync(join(rootfs, directory, "tool"), `#!/bin/sh\necho ${directory}\n`, { mode: 0o755 });
          }
        },
      },
    );
    expect(stdout).toBe("first\n");
  });

  rootTest("a file that cannot be executed is passed over", async () => {
    const { stdout } = await box.run(
      config((result) => {
        result.process.args = ["tool"];
        result.process.env = ["PATH=/first:/second"];
      }),
      {
        prepare: (rootfs) => {
          for (const [directory, mode] of [
            ["first", 0o644],
            ["second", 0o755],
          ] as const) {
            mkdirSync(join(rootfs, directory));
            writeFileSync(join(rootfs, directory, "tool"), `#!/bin/sh\necho ${directory}\n`, { mode });
          }
        },
      },
    );
    expect(stdout).toBe("second\n");
  });

  rootTest("a name with a slash is relative to cwd", async () => {
    const { stdout } = await box.run(
      config((result) => {
        result.process.cwd = "/bin";
        result.process.args = ["./echo", "here"];
      }),
    );
    expect(stdout).toBe("here\n");
  });

  rootTest("the program sees its own name as the config has it", async () => {
    const { stdout } = await box.run(
      config((result) => (result.process.args = ["cat", "/proc/self/cmdline"])),
    );
    expect(stdout).toBe("cat\0/proc/self/cmdline\0");
  });
});

describe("a program that cannot be started", () => {
  /** Callers tell 126 from 127 by these words (podman). */
  const notFound = /executable file not found|no such file or directory/i;
  const notAllowed = /permission denied/i;

  const failing: [string, string[], RegExp, ((rootfs: string) => void)?][] = [
    ["is not in PATH", ["no-such-program"], notFound],
    ["does not exist", ["/bin/no-such-program"], notFound],
    ["is not executable", ["/etc/passwd"], notAllowed],
    ["is a directory", ["/etc"], /permission denied|is a directory/i],
  ];
  for (const [what, args, message] of failing) {
    const define = /^is (not ex|a dir)/.test(what)
      ? peersDiffer({ crun: "its error names no file" })
      : rootTest;
    define(`because it ${what}: create fails and says so`, async () => {
      const { status, stdout, stderr } = await box.tryCreate(
        config((result) => (result.process.args = args)),
      );
      expect(stderr).toMatch(message);
      expect(stderr).toContain(args[0] ?? "");
      expect([status, stdout]).toEqual([1, ""]);
    });
  }

  rootTest("because its interpreter does not exist: start, or run, says so", async () => {
    const { status, stderr } = await box.run(
      config((result) => (result.process.args = ["/script"])),
      {
        prepare: (rootfs) =>
          writeFileSync(join(rootfs, "script"), "#!/no/such/interpreter\n", { mode: 0o755 }),
      },
    );
    expect(stderr).toMatch(notFound);
    expect(status).toBe(1);
  });

  rootTest("because it is no program: start, or run, says so", async () => {
    const { status, stderr } = await box.run(
      config((result) => (result.process.args = ["/data"])),
      { prepare: (rootfs) => writeFileSync(join(rootfs, "data"), "\0\0\0\0", { mode: 0o755 }) },
    );
    expect(stderr).toMatch(/exec format error/i);
    expect(status).toBe(1);
  });

  rootTest("for a user without permission", async () => {
    const { status, stderr } = await box.run(
      config((result) => {
        result.process.args = ["/private"];
        result.process.user = { uid: 1000, gid: 1000 };
        result.process.capabilities = {};
      }),
      { prepare: (rootfs) => writeFileSync(join(rootfs, "private"), "#!/bin/sh\n", { mode: 0o700 }) },
    );
    expect(stderr).toMatch(notAllowed);
    expect(status).toBe(1);
  });

  rootTest("leaves no container, and the root file system as it was", async () => {
    const { path, rootfs } = box.bundle(config((result) => (result.process.args = ["no-such-program"])));
    const id = box.id();
    const { status } = await box.runtime(["create", "--bundle", path, id]);
    expect(status).toBe(1);
    expect((await box.runtime(["state", id])).status).toBe(1);
    expect(statSync(rootfs).isDirectory()).toBe(true);
  });
});
