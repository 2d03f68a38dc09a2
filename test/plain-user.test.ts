/**
 * Containers of whoever runs the tests: no root, no account of its own, no program but the runtime. For a contributor without
 * root these are the end-to-end tests; as root they hold as well.
 */
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { until } from "./support/command.ts";
import { type Change, config, rootless, shell, sleeper } from "./support/config.ts";
import { runtimeKind } from "./support/machine.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("plain-user");
const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;

/** Root in a user namespace that maps the caller alone. */
const own =
  (change: Change = () => {}): Change =>
  (result) => {
    rootless(result, uid, gid);
    change(result);
  };

const namespaces = spawnSync("unshare", ["--user", "--map-root-user", "true"]).status === 0;
const reason = namespaces ? "crun: it refuses this layout of cgroups to a plain user" : "no user namespaces";
const anyone = namespaces && runtimeKind !== "crun";
const userTest = (title: string, body: () => Promise<void>) =>
  anyone ? test(title, body) : test.skip(`${title} (${reason})`, body);
const oursTest = (title: string, body: () => Promise<void>) =>
  runtimeKind === "bunc" ? userTest(title, body) : test.skip(`${title} (bunc's own design)`, body);

/** What is left in the directory of the state, less what the runtime keeps between containers. */
const left = () => readdirSync(box.state).filter((name) => !name.startsWith("."));

describe("run", () => {
  userTest("its output, its exit status, and nothing is left", async () => {
    const { status, stdout, stderr } = await box.run(shell("id -u; pwd; echo no >&2; exit 7", own()));
    expect([status, stdout, stderr]).toEqual([7, "0\n/\n", "no\n"]);
    expect(left()).toEqual([]);
  });

  userTest(
    "namespaces of its own, a host name, limits, a read-only root, masked and read-only paths",
    async () => {
      const { stdout, stderr } = await box.run(
        shell(
          "echo $$; hostname; ulimit -n; touch /x; cat /proc/timer_list | wc -c; sed 's/  */ /g' /proc/self/uid_map",
          own((result) => {
            result.hostname = "plain";
            result.root.readonly = true;
            result.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 64, hard: 64 }];
            result.linux.maskedPaths = ["/proc/timer_list"];
          }),
        ),
      );
      expect(stdout).toBe(`1\nplain\n64\n0\n 0 ${uid} 1\n`);
      expect(stderr).toContain("Read-only file system");
    },
  );

  userTest("no capabilities and no new privileges, where config.json says so", async () => {
    const { stdout } = await box.run(
      shell(
        "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status | tr -d '\\t'",
        own((result) => {
          result.process.capabilities = {};
          result.process.noNewPrivileges = true;
        }),
      ),
    );
    expect(stdout).toBe("CapEff:0000000000000000\nCapBnd:0000000000000000\nNoNewPrivs:1\n");
  });

  userTest("system calls are filtered", async () => {
    const { stdout } = await box.run(
      shell(
        "mkdir /tmp/d 2>&1",
        own((result) => {
          result.linux.seccomp = {
            defaultAction: "SCMP_ACT_ALLOW",
            syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95 }],
          };
        }),
      ),
    );
    expect(stdout).toContain("not supported");
  });

  userTest("a program that is not there fails in one line, and nothing is left", async () => {
    const { status, stderr } = await box.run(config(own((result) => (result.process.args = ["/not/there"]))));
    expect(status).not.toBe(0);
    expect(stderr).toContain("/not/there");
    expect(left()).toEqual([]);
  });
});

describe("a container's life", () => {
  userTest("create, start, state, exec, list, kill, delete", async () => {
    const container = await box.create(sleeper(own()));
    expect((await container.state()).status).toBe("created");
    await container.start();
    expect(await container.state()).toMatchObject({
      id: container.id,
      status: "running",
      pid: container.pid,
    });
    const { status, stdout } = await box.runtime([
      "exec",
      container.id,
      "sh",
      "-c",
      "id -u; ps | grep -c sleep; exit 5",
    ]);
    expect([status, stdout.startsWith("0\n")]).toEqual([5, true]);
    const list = await box.runtime(["list", "--quiet"]);
    expect(list.stdout.split("\n")).toContain(container.id);
    expect((await box.runtime(["delete", container.id])).status).not.toBe(0);
    expect((await box.runtime(["kill", container.id, "KILL"])).status).toBe(0);
    expect(await container.exit()).toBe(128 + 9);
    await until("its end", async () => (await container.state()).status === "stopped");
    await container.delete();
    expect(left()).toEqual([]);
  });

  userTest("delete --force ends what runs", async () => {
    const container = await box.create(sleeper(own()));
    await container.start();
    await container.delete("--force");
    expect(left()).toEqual([]);
  });
});

describe("root emulation", () => {
  const script = "cd /tmp; touch f; chown 5:6 f && echo changed; stat -c %u:%g f";
  for (const [mode, printed] of [
    ["auto", "changed\n0:0\n"],
    ["seccomp", "changed\n0:0\n"],
    ["none", "0:0\n"],
  ] as const) {
    oursTest(`${mode}: chown in a namespace of one id`, async () => {
      const { stdout } = await box.run(shell(script, own()), { globals: [`--root-emulation=${mode}`] });
      expect(stdout).toBe(printed);
    });
  }

  oursTest("notify: stat shows what chown set, to a plain user; root has none", async () => {
    const { status, stdout, stderr } = await box.run(shell(script, own()), {
      globals: ["--root-emulation=notify"],
    });
    if (uid === 0) expect([status, stderr]).toEqual([1, expect.stringContaining("call as a plain user")]);
    else expect([stdout, stderr]).toEqual(["changed\n5:6\n", ""]);
  });
});
