/** Hooks in the container's namespaces: where they are, and what they may do there. */
import { describe, expect } from "bun:test";
import { chmodSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { statusField } from "./support/command.ts";
import { type Change, config, inherit, shell, sleeper } from "./support/config.ts";
import { oursOnly, peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("hooks-inside");

/** A startContainer hook that is a script of the container's shell. */
const starting =
  (script: string, change: Change = () => {}): Change =>
  (result) => {
    result.hooks = { startContainer: [{ path: "/bin/sh", args: ["sh", "-c", script] }] };
    change(result);
  };

/** A createContainer hook: a script of the machine's shell, which writes what it sees to a file. */
function creating(script: string, change: Change = () => {}) {
  const seen = join(box.directory("seen"), "seen");
  writeFileSync(seen, "");
  // The container's root may be another user outside.
  chmodSync(seen, 0o666);
  const hook = {
    path: "/bin/sh",
    args: ["sh", "-c", `{ ${script}; } > ${seen}`],
    env: ["PATH=/bin:/usr/bin"],
  };
  const changed: Change = (result) => {
    result.hooks = { createContainer: [hook] };
    change(result);
  };
  return { change: changed, seen: () => readFileSync(seen, "utf8") };
}

const ownUserNamespace: Change = (result) => {
  result.linux.namespaces.push({ type: "user" });
  result.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  result.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
};

describe("startContainer", () => {
  rootTest("is run as the container's process would be, and can do no more", async () => {
    const script = "cat /proc/self/status > /tmp/status; pwd > /tmp/cwd; env > /tmp/env; umask > /tmp/umask";
    const { status, stdout } = await box.run(
      shell(
        "cat /tmp/status /tmp/cwd /tmp/umask /tmp/env",
        starting(script, ({ process, mounts, linux }) => {
          process.user = { uid: 0, gid: 7, additionalGids: [8], umask: 0o27 };
          process.cwd = "/bin";
          process.env = ["PATH=/bin", "OWN=set"];
          process.noNewPrivileges = true;
          process.capabilities = { bounding: ["CAP_KILL"], effective: ["CAP_KILL"], permitted: ["CAP_KILL"] };
          mounts.push({ destination: "/tmp", type: "tmpfs", source: "tmpfs" });
          linux.seccomp = {
            defaultAction: "SCMP_ACT_ALLOW",
            syscalls: [{ names: ["personality"], action: "SCMP_ACT_ERRNO" }],
          };
        }),
      ),
    );
    expect(status).toBe(0);
    const field = (name: string) => statusField(stdout, name);
    expect([field("CapEff"), field("CapBnd")]).toEqual(["0000000000000020", "0000000000000020"]);
    expect([field("NoNewPrivs"), field("Seccomp"), field("Groups").trim()]).toEqual(["1", "2", "8"]);
    expect(field("Gid").split("\t")).toEqual(["7", "7", "7", "7"]);
    expect(stdout).toContain("\n/bin\n0027\n");
    expect(stdout).toContain("\nOWN=set\n");
  });

  rootTest("is in the container's cgroup", async () => {
    const { stdout } = await box.run(
      shell("cat /tmp/hook /proc/self/cgroup", starting("cat /proc/self/cgroup > /tmp/hook")),
    );
    const lines = stdout.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.slice(0, lines.length / 2)).toEqual(lines.slice(lines.length / 2));
  });

  peersDiffer({ crun: "1.8 says starting, and no pid" })(
    "is told the number that init has in the container",
    async () => {
      const { stdout } = await box.run(shell("cat /tmp/state", starting("cat > /tmp/state")));
      expect(JSON.parse(stdout)).toMatchObject({ status: "created", pid: 1 });
    },
  );

  oursOnly("has no descriptors but its streams, and no terminal of the caller's", async () => {
    const script = "ls /proc/self/fd > /tmp/fds; cut -d ' ' -f 7 /proc/self/stat > /tmp/tty";
    const { stdout } = await box.run(shell("cat /tmp/fds; echo; cat /tmp/tty", starting(script)));
    const [fds = "", tty = ""] = stdout.split("\n\n");
    // 3 is the directory that `ls` has open.
    expect(fds.trim().split("\n")).toEqual(["0", "1", "2", "3"]);
    expect(tty.trim()).toBe("0");
  });

  for (const [what, change] of [
    ["with a user namespace", ownUserNamespace],
    ["without a pid namespace", (result) => inherit(result, "pid")],
    ["without network and IPC namespaces", (result) => inherit(result, "network", "ipc")],
    [
      "with cgroup and time namespaces",
      ({ linux }) => linux.namespaces.push({ type: "cgroup" }, { type: "time" }),
    ],
  ] as [string, Change][]) {
    peersDiffer(what.includes("time") ? { runc: "1.1 knows no time namespace", crun: "not asked" } : {})(
      `runs in a container ${what}, before a start that is another command`,
      async () => {
        const container = await box.create(
          shell(
            "cat /tmp/seen",
            starting("readlink /proc/self/ns/mnt > /tmp/seen", (result) => {
              result.mounts.push({ destination: "/tmp", type: "tmpfs", options: ["mode=1777"] });
              change(result);
            }),
          ),
        );
        const { status, stdout, stderr } = await container.finish();
        expect([status, stderr]).toEqual([0, ""]);
        expect(stdout).toMatch(/^mnt:\[\d+\]\n$/);
        expect(stdout.trim()).not.toBe(box.mountNamespace);
      },
    );
  }
});

describe("createContainer", () => {
  for (const [what, change] of [
    ["root", () => {}],
    ["the root of a user namespace", ownUserNamespace],
  ] as [string, Change][]) {
    peersDiffer({ crun: "its order differs" })(
      `is ${what}, by the runtime's paths, beside the root file system with its mounts`,
      async () => {
        const hook = creating(
          "pwd; grep -E 'CapEff|Uid' /proc/self/status; cat /proc/self/mountinfo",
          change,
        );
        const container = await box.create(sleeper(hook.change));
        const seen = hook.seen();
        const { rootfs } = container.bundle;
        expect(seen).toStartWith(`${rootfs}\n`);
        expect(statusField(seen, "Uid").split("\t")[0]).toBe("0");
        // CAP_SYS_ADMIN
        expect(Number.parseInt(statusField(seen, "CapEff"), 16) & (1 << 21)).not.toBe(0);
        expect(seen).toContain(` ${rootfs}/proc `);
        await container.delete();
      },
    );
  }

  peersDiffer({ crun: "its hook is in another directory" })(
    "can add to the container what is not there yet",
    async () => {
      const hook = creating("mkdir -p added; mount -t tmpfs -o ro,size=4k hook added; echo fine");
      const { status, stdout } = await box.run(
        shell("grep ' /added ' /proc/mounts", (result) => {
          hook.change(result);
          result.root.readonly = true;
        }),
      );
      expect([status, hook.seen()]).toEqual([0, "fine\n"]);
      expect(stdout).toStartWith("hook /added tmpfs ro");
    },
  );

  oursOnly("comes before sysctls are set: it may make what they are about", async () => {
    const hook = creating("cat /proc/sys/net/ipv4/ip_default_ttl; ip link add d0 type dummy || echo none");
    const { status, stdout, stderr } = await box.run(
      shell("cat /proc/sys/net/ipv4/ip_default_ttl", (result) => {
        hook.change(result);
        result.linux.sysctl = { "net.ipv4.ip_default_ttl": "99" };
      }),
    );
    expect([status, stdout, stderr]).toEqual([0, "99\n", ""]);
    expect(hook.seen().split("\n")[0]).not.toBe("99");
  });
});

describe("a hook in namespaces that were joined", () => {
  oursOnly("runs there", async () => {
    const first = await box.create(sleeper());
    const hook = creating("readlink /proc/self/ns/pid /proc/self/ns/net");
    const second = await box.create(
      sleeper((result) => {
        hook.change(result);
        result.linux.namespaces = result.linux.namespaces.map(({ type }) =>
          type === "pid" || type === "network"
            ? { type, path: `/proc/${first.pid}/ns/${type === "pid" ? "pid" : "net"}` }
            : { type },
        );
      }),
    );
    const init = ["pid", "net"].map((name) => readlinkSync(`/proc/${first.pid}/ns/${name}`));
    expect(hook.seen().trim().split("\n")).toEqual(init);
    await second.delete();
    await first.delete();
  });

  rootTest("does not need hooks to be there", async () => {
    expect((await box.run(config((result) => (result.hooks = { createContainer: [] })))).status).toBe(0);
  });
});
