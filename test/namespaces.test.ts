/** `linux.namespaces`: new ones, inherited ones, and joined ones; and what lives in them. */
import { describe, expect } from "bun:test";
import { readFileSync, readlinkSync } from "node:fs";
import { isAlive, until } from "./support/command.ts";
import { type Change, config, inherit, shell, sleeper } from "./support/config.ts";
import { cgroups, runtimeKind } from "./support/machine.ts";
import { oursOnly, peersDiffer, rootTest } from "./support/peers.ts";
import { PrivateMounts, plainCgroup2 } from "./support/private-mounts.ts";
import { Workspace, workspace } from "./support/workspace.ts";

const box = workspace("namespaces");

/** Names of the files in /proc/PID/ns, by type. */
const files: Record<string, string> = {
  pid: "pid",
  network: "net",
  ipc: "ipc",
  uts: "uts",
  mount: "mnt",
  cgroup: "cgroup",
  user: "user",
};

const namespaceOf = (type: string, pid: number | "self" = "self"): string =>
  readlinkSync(`/proc/${pid}/ns/${files[type]}`);

/** Joins a namespace instead of making a new one. */
const join =
  (type: string, path: string): Change =>
  (result) => {
    inherit(result, type);
    result.linux.namespaces.push({ type, path });
  };

describe("new", () => {
  rootTest("every namespace listed is the container's own", async () => {
    const container = await box.create(
      sleeper((result) => {
        result.linux.namespaces.push({ type: "cgroup" });
      }),
    );
    for (const type of ["pid", "network", "ipc", "uts", "mount", "cgroup"]) {
      expect([type, namespaceOf(type, container.pid) === namespaceOf(type)]).toEqual([type, false]);
    }
    expect(namespaceOf("user", container.pid)).toBe(namespaceOf("user"));
    await container.delete();
  });

  rootTest("in a new pid namespace the program is process 1", async () => {
    expect((await box.run(shell("echo $$; ls -d /proc/[0-9]*"))).stdout).toMatch(/^1\n\/proc\/1\n/);
  });

  rootTest("in a new network namespace there is a loopback interface alone, and it is up", async () => {
    const { stdout } = await box.run(shell("ls /sys/class/net; ip link show lo"));
    expect(stdout).toMatch(/^lo\n/);
    if (runtimeKind !== "crun") expect(stdout).toContain("LOOPBACK,UP");
  });
});

describe("inherited", () => {
  for (const type of ["pid", "network", "ipc", "uts"]) {
    rootTest(`${type}, when it is not listed`, async () => {
      const container = await box.create(
        sleeper((result) => {
          inherit(result, type);
          if (type === "uts") delete result.hostname;
        }),
      );
      expect(namespaceOf(type, container.pid)).toBe(namespaceOf(type));
      await container.delete("--force");
    });
  }

  peersDiffer({ crun: "without a cgroup 1.8 does not kill it" })(
    "pid: init has the pid that the pid file says, and is killed by delete --force",
    async () => {
      const container = await box.create(sleeper((result) => inherit(result, "pid")));
      await container.start();
      expect(await container.status()).toBe("running");
      expect(readFileSync(`/proc/${container.pid}/cmdline`, "utf8")).toBe("sleep\x001000\0");
      await container.delete("--force");
      expect(isAlive(container.pid)).toBe(false);
    },
  );

  rootTest(
    "mount: the program runs in the root file system, in mounts that only this test sees",
    async () => {
      const own = new Workspace("inherited-mounts");
      own.useMounts(await PrivateMounts.make(runtimeKind === "crun" ? plainCgroup2 : undefined));
      try {
        const result = await own.run(shell("ls /; pwd", (changed) => inherit(changed, "mount")));
        expect(result).toMatchObject({
          status: 0,
          stdout: expect.stringMatching(/^bin\ndev\netc\n(\w+\n)*\/\n$/),
        });
      } finally {
        await own.remove();
      }
    },
  );
});

describe("joined by path", () => {
  for (const type of ["network", "ipc", "uts", "pid"]) {
    rootTest(type, async () => {
      const first = await box.create(sleeper());
      const second = await box.create(
        sleeper((result) => {
          join(type, `/proc/${first.pid}/ns/${files[type]}`)(result);
          if (type === "uts") delete result.hostname;
        }),
      );
      expect(namespaceOf(type, second.pid)).toBe(namespaceOf(type, first.pid));
      await second.delete();
      await first.delete();
    });
  }

  rootTest("pid: the program sees the first container's processes", async () => {
    const first = await box.create(sleeper());
    await first.start();
    const { stdout } = await box.run(
      shell("cat /proc/1/cmdline | tr '\\0' ' '; echo $$", join("pid", `/proc/${first.pid}/ns/pid`)),
    );
    expect(stdout).toMatch(/^sleep 1000 \d+\n$/);
    expect(stdout).not.toBe("sleep 1000 1\n");
    await first.delete("--force");
  });

  rootTest("pid: the second container dies with the first one's init", async () => {
    const first = await box.create(sleeper());
    await first.start();
    const second = await box.create(sleeper(join("pid", `/proc/${first.pid}/ns/pid`)));
    await second.start();
    await first.kill("KILL");
    expect(await second.exit()).toBe(137);
    expect(await second.status()).toBe("stopped");
    await second.delete();
    await first.delete();
  });

  const wrong: [string, string][] = [
    ["of another type", `/proc/${process.pid}/ns/uts`],
    ["that does not exist", "/no/such/namespace"],
    ["that is no namespace", "/etc/passwd"],
    ["that is a directory", "/etc"],
    ["that would block", "fifo"],
  ];
  for (const [what, path] of wrong) {
    // Each fails; runc's words for a path of another type come from setns and do not tell which.
    const define = path === "fifo" ? oursOnly : rootTest;
    define(`a path ${what} is an error${runtimeKind === "bunc" ? " that names it" : ""}`, async () => {
      let target = path;
      if (path === "fifo") {
        target = `${box.path}/fifo`;
        Bun.spawnSync(["mkfifo", target]);
      }
      const { status, stderr } = await box.run(config(join("network", target)));
      expect(status).toBe(1);
      expect(stderr).not.toBe("");
      if (runtimeKind === "bunc") expect(stderr).toContain(target);
    });
  }

  rootTest("a relative path is an error", async () => {
    const { status, stderr } = await box.run(config(join("network", "ns/net")));
    expect(status).toBe(1);
    expect(stderr).not.toBe("");
  });
});

describe("hostname", () => {
  rootTest("is set in a new uts namespace", async () => {
    expect(
      (await box.run(shell("hostname", (result) => (result.hostname = "some-host.example")))).stdout,
    ).toBe("some-host.example\n");
  });

  rootTest("empty or absent leaves the caller's", async () => {
    const host = readFileSync("/proc/sys/kernel/hostname", "utf8");
    for (const hostname of ["", undefined]) {
      const { stdout } = await box.run(
        shell("hostname", (result) => {
          if (hostname === undefined) delete result.hostname;
          else result.hostname = hostname;
        }),
      );
      expect(stdout).toBe(host);
    }
  });

  rootTest("without a uts namespace is an error, and the machine's stays", async () => {
    const host = readFileSync("/proc/sys/kernel/hostname", "utf8");
    const { status, stderr } = await box.run(config((result) => inherit(result, "uts")));
    expect(status).toBe(1);
    expect(stderr).toMatch(/uts|hostname/i);
    expect(readFileSync("/proc/sys/kernel/hostname", "utf8")).toBe(host);
  });
});

describe("domainname", () => {
  const shown = "cat /proc/sys/kernel/domainname";

  peersDiffer({ runc: "1.1.5 does not know it" })("is set in a new uts namespace", async () => {
    const { stdout } = await box.run(shell(shown, (result) => (result.domainname = "some.domain")));
    expect(stdout).toBe("some.domain\n");
  });

  oursOnly("without a uts namespace is an error", async () => {
    const { status, stderr } = await box.run(
      config((result) => {
        inherit(result, "uts");
        delete result.hostname;
        result.domainname = "some.domain";
      }),
    );
    expect([status, stderr]).toEqual([1, expect.stringContaining("domainname")]);
  });
});

describe("sysctl", () => {
  const sysctl =
    (values: Record<string, string>, ...inherited: string[]): Change =>
    (result) => {
      result.linux.sysctl = values;
      inherit(result, ...inherited);
    };

  rootTest("keys of the container's own namespaces are written", async () => {
    const { stdout } = await box.run(
      shell(
        "cd /proc/sys; cat kernel/msgmax kernel/sem fs/mqueue/msg_max net/ipv4/ip_forward",
        sysctl({
          "kernel.msgmax": "4097",
          "kernel.sem": "100 200 50 60",
          "fs.mqueue.msg_max": "17",
          "net.ipv4.ip_forward": "1",
        }),
      ),
    );
    expect(stdout).toBe("4097\n100\t200\t50\t60\n17\n1\n");
  });

  rootTest("keys may have slashes", async () => {
    const { stdout } = await box.run(
      shell("cat /proc/sys/net/ipv4/ip_forward", sysctl({ "net/ipv4/ip_forward": "1" })),
    );
    expect(stdout).toBe("1\n");
  });

  const refused: [string, string, string[]][] = [
    ["kernel.panic", "belongs to the machine", []],
    ["vm.swappiness", "belongs to the machine", []],
    ["net.ipv4.ip_forward", "needs a network namespace of the container's own", ["network"]],
    ["kernel.msgmax", "needs an ipc namespace of the container's own", ["ipc"]],
    ["fs.mqueue.msg_max", "needs an ipc namespace of the container's own", ["ipc"]],
  ];
  for (const [key, why, inherited] of refused) {
    rootTest(`${key} ${why}: an error that names it`, async () => {
      const path = `/proc/sys/${key.replaceAll(".", "/")}`;
      const before = readFileSync(path, "utf8");
      const { status, stderr } = await box.run(config(sysctl({ [key]: "9" }, ...inherited)));
      expect(status).toBe(1);
      expect(stderr).toContain(key);
      expect(readFileSync(path, "utf8")).toBe(before);
    });
  }

  for (const key of ["net/../kernel/panic", "net.ipv4/../../kernel/panic", "net..", "/net/ipv4/ip_forward"]) {
    peersDiffer({ crun: "1.8 does not look for it" })(`${key} does not lead elsewhere`, async () => {
      const before = readFileSync("/proc/sys/kernel/panic", "utf8");
      const { status } = await box.run(config(sysctl({ [key]: "9" })));
      expect(readFileSync("/proc/sys/kernel/panic", "utf8")).toBe(before);
      if (key.includes("..")) expect(status).toBe(1);
    });
  }

  rootTest(
    "a key that does not exist, and a value that the kernel refuses, are errors that name the key",
    async () => {
      for (const [key, value] of [
        ["net.no.such", "1"],
        ["net.ipv4.ip_forward", "many"],
      ] as const) {
        const { status, stderr } = await box.run(config(sysctl({ [key]: value })));
        expect(status).toBe(1);
        expect(stderr.replaceAll("/", ".")).toContain(key);
      }
    },
  );
});

describe("many containers at once", () => {
  rootTest("do not disturb each other", async () => {
    const containers = await Promise.all(
      Array.from({ length: 6 }, () => box.create(shell("echo $(hostname) $$"))),
    );
    const results = await Promise.all(containers.map((container) => container.finish()));
    for (const result of results) expect(result).toEqual({ status: 0, stdout: "bunc-test 1\n", stderr: "" });
    await until("all of them to be gone", () => containers.every(({ pid }) => !isAlive(pid)));
  });
});

if (cgroups === "v2") {
  rootTest("a new cgroup namespace shows the container's own group as the root", async () => {
    const { stdout } = await box.run(
      shell("cat /proc/self/cgroup", (result) => {
        result.linux.namespaces.push({ type: "cgroup" });
      }),
    );
    expect(stdout).toBe("0::/\n");
  });
}
