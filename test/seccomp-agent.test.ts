/** `linux.seccomp.listenerPath`: an agent outside answers the calls that the profile names. */
import { describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Agent } from "./support/agent.ts";
import { type Change, type Config, shell } from "./support/config.ts";
import { searchPath } from "./support/machine.ts";
import { oursOnly, peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("seccomp-agent");
const receiver = "run.oci.seccomp.receiver";
const directory = box.directory("sockets");
let serial = 0;
const newPath = () => join(directory, `agent-${++serial}`);

interface Wanted {
  noNewPrivileges?: boolean;
  metadata?: string;
  names?: string[];
  flags?: string[];
}

/** Has mkdir answered by the agent at a path. */
const notifying =
  (path: string, { noNewPrivileges = true, metadata, names = [], flags }: Wanted = {}): Change =>
  (result) => {
    result.linux.seccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      listenerPath: path,
      ...(metadata === undefined ? {} : { listenerMetadata: metadata }),
      ...(flags === undefined ? {} : { flags }),
      syscalls: [{ names: ["mkdir", "mkdirat", ...names], action: "SCMP_ACT_NOTIFY" }],
    };
    result.process.noNewPrivileges = noNewPrivileges;
  };

const tryMkdir = "mkdir /tmp/x 2>&1; mkdir /tmp/x/y 2>&1; echo $?";
const answered = `${["/tmp/x", "/tmp/x/y"]
  .map((path) => `mkdir: can't create directory '${path}': No medium found`)
  .join("\n")}\n1\n`;

describe("the agent", () => {
  for (const noNewPrivileges of [true, false]) {
    rootTest(`answers calls of a container, noNewPrivileges ${noNewPrivileges}`, async () => {
      const agent = await Agent.start(newPath());
      const change = notifying(agent.path, { noNewPrivileges, metadata: "some\nthing" });
      const { status, stdout } = await box.run(shell(tryMkdir, change));
      expect([status, stdout]).toEqual([0, answered]);
      const told = await agent.told();
      expect(told.fds).toEqual(["seccompFd"]);
      expect(told.metadata).toBe("some\nthing");
    });
  }

  for (const [where, place] of [
    ["an annotation", (result: Config, path: string) => (result.annotations = { [receiver]: path })],
    ["a variable", () => {}],
  ] as const) {
    peersDiffer({ runc: "it has only listenerPath" })(`may be named by ${where}, as in crun`, async () => {
      const agent = await Agent.start(newPath());
      const change: Change = (result) => {
        notifying("")(result);
        delete result.linux.seccomp?.listenerPath;
        place(result, agent.path);
      };
      const env = {
        PATH: searchPath,
        ...(where === "a variable" ? { RUN_OCI_SECCOMP_RECEIVER: agent.path } : {}),
      };
      const { status, stdout } = await box.run(shell(tryMkdir, change), { env });
      expect([status, stdout]).toEqual([0, answered]);
    });
  }

  rootTest("is told of the container", async () => {
    const agent = await Agent.start(newPath());
    const container = await box.create(
      shell(tryMkdir, (result) => {
        notifying(agent.path)(result);
        result.annotations = { some: "thing" };
      }),
    );
    await container.start();
    const told = await agent.told();
    expect(told.pid).toBe(container.pid);
    expect(told.state).toMatchObject({
      id: container.id,
      bundle: container.bundle.path,
      annotations: { some: "thing" },
    });
    expect(["creating", "created"]).toContain(told.state.status);
    expect(await container.exit()).toBe(0);
    expect(container.stdout).toBe(answered);
  });

  rootTest("is told of each process that exec adds, and answers it as well", async () => {
    const agent = await Agent.start(newPath());
    const container = await box.create(
      shell("trap exit TERM; while :; do sleep 1; done", notifying(agent.path)),
    );
    await container.start();
    await agent.told();
    const { stdout } = await box.runtime(["exec", container.id, "sh", "-c", tryMkdir]);
    expect(stdout).toBe(answered);
    const told = await agent.told();
    expect(told.pid).not.toBe(container.pid);
    expect(told.state.status).toBe("running");
  });

  peersDiffer({ runc: "1.1.5 knows three of them", crun: "1.8.1 knows three of them" })(
    "may be asked with every flag",
    async () => {
      const agent = await Agent.start(newPath());
      const flags = ["TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV"].map(
        (name) => `SECCOMP_FILTER_FLAG_${name}`,
      );
      expect((await box.run(shell(tryMkdir, notifying(agent.path, { flags })))).stdout).toBe(answered);
    },
  );

  oursOnly("may be asked of all that happens before and while the program is executed", async () => {
    const agent = await Agent.start(newPath());
    const names = [
      "sendmsg",
      "read",
      "close",
      "wait4",
      "execve",
      "setresuid",
      "setgroups",
      "capset",
      "prctl",
    ];
    for (const noNewPrivileges of [true, false]) {
      const change = notifying(agent.path, { names, noNewPrivileges });
      const { status, stdout } = await box.run(shell(tryMkdir, change));
      expect([status, stdout]).toEqual([0, answered]);
    }
  });

  oursOnly("may be asked by default, when write is left out", async () => {
    const agent = await Agent.start(newPath());
    const change: Change = (result) => {
      notifying(agent.path)(result);
      result.linux.seccomp = {
        defaultAction: "SCMP_ACT_NOTIFY",
        listenerPath: agent.path,
        syscalls: [{ names: ["write"], action: "SCMP_ACT_ALLOW" }],
      };
    };
    expect((await box.run(shell(tryMkdir, change))).stdout).toBe(answered);
  });

  peersDiffer({ crun: "connects all the same; the specification has the path ignored" })(
    "is not looked for when no rule names it",
    async () => {
      const path = newPath();
      const change: Change = (result) => {
        result.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: path };
      };
      expect((await box.run(shell("echo ok", change))).stdout).toBe("ok\n");
    },
  );

  rootTest("leaves nothing in the container's process: no descriptor, no child", async () => {
    const agent = await Agent.start(newPath());
    const look = "ls /proc/self/fd; ls -d /proc/[0-9]*";
    const plain = await box.run(shell(look));
    const { stdout } = await box.run(shell(look, notifying(agent.path)));
    expect(stdout).toBe(plain.stdout);
  });
});

describe("without an agent", () => {
  for (const [what, make] of [
    ["nothing is at the path", () => {}],
    ["it is no socket", (path: string) => writeFileSync(path, "")],
  ] as const) {
    oursOnly(`${what}: create says so in one line, and leaves nothing`, async () => {
      const path = newPath();
      make(path);
      const { status, stderr, id } = await box.tryCreate(shell("true", notifying(path)));
      expect(status).toBe(1);
      expect(stderr).toMatch(/^bunc: linux\.seccomp\.listenerPath is [^\n]*start the agent[^\n]*\n$/);
      expect(stderr).toContain(path);
      expect((await box.runtime(["state", id])).stderr).toContain("does not exist");
    });
  }

  oursOnly("one that has ended since create makes start fail, and the container is stopped", async () => {
    const agent = await Agent.start(newPath());
    const container = await box.create(shell("true", notifying(agent.path)));
    await agent.end();
    const { status, stderr } = await container.call("start");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^bunc: linux\.seccomp\.listenerPath is [^\n]*Connection refused[^\n]*\n$/);
    expect(await container.exit()).not.toBe(0);
    expect(await container.status()).toBe("stopped");
    await container.delete();
  });

  oursOnly("run and exec say so, too", async () => {
    const agent = await Agent.start(newPath());
    const container = await box.create(
      shell("trap exit TERM; while :; do sleep 1; done", notifying(agent.path)),
    );
    await container.start();
    await agent.end();
    const exec = await box.runtime(["exec", container.id, "true"]);
    const run = await box.run(shell("true", notifying(agent.path)));
    for (const { status, stderr } of [exec, run]) {
      expect(status).not.toBe(0);
      expect(stderr).toMatch(/^bunc: linux\.seccomp\.listenerPath is [^\n]*\n$/);
    }
  });
});

describe("refused", () => {
  oursOnly("write, by which bunc tells that the agent can be told", async () => {
    const agent = await Agent.start(newPath());
    const { status, stderr } = await box.run(shell("true", notifying(agent.path, { names: ["write"] })));
    expect([status, stderr.includes("linux.seccomp.syscalls[0] asks for SCMP_ACT_NOTIFY for write")]).toEqual(
      [1, true],
    );
  });
});
