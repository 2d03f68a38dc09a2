/** `hooks`: when each runs, in which namespace, with what on its standard input. */
import { describe, expect } from "bun:test";
import { existsSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Change, config, type HookName, shell, sleeper } from "./support/config.ts";
import { peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("hooks");

/** A hook that appends what it sees to a file: its name, the state on its standard input, its namespaces. */
function recorder(directory: string): string {
  const path = join(directory, "hook");
  const script = [
    "#!/bin/sh",
    'state=$(cat | tr -d "\\n\\t")',
    // The mount namespace tells the runtime's from the container's.
    `echo "$1|$(readlink /proc/self/ns/mnt)|$EXTRA|$state" >> ${directory}/log`,
    "",
  ].join("\n");
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

interface Entry {
  name: string;
  mountNamespace: string;
  extra: string;
  state: { id: string; status: string; bundle: string; pid: number; ociVersion: string };
}

function entries(directory: string): Entry[] {
  if (!existsSync(join(directory, "log"))) return [];
  const lines = readFileSync(join(directory, "log"), "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const [name = "", mountNamespace = "", extra = "", ...state] = line.split("|");
    return { name, mountNamespace, extra, state: JSON.parse(state.join("|")) };
  });
}

const everyHook =
  (path: string, ...names: HookName[]): Change =>
  (result) => {
    result.hooks = Object.fromEntries(
      names.map((name) => [name, [{ path, args: ["hook", name], env: ["PATH=/bin:/usr/bin", "EXTRA=set"] }]]),
    );
  };

describe("what hooks write", () => {
  peersDiffer({ runc: "it has no such annotations" })(
    "is appended to the files that annotations name",
    async () => {
      const directory = box.directory("said");
      const [out, err] = [join(directory, "out"), join(directory, "err")];
      const names: HookName[] = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"];
      const hook = (name: HookName) => ({
        path: "/bin/sh",
        args: ["sh", "-c", `echo ${name}; echo no ${name} >&2`],
      });
      const change: Change = (result) => {
        result.hooks = Object.fromEntries(names.map((name) => [name, [hook(name)]]));
        result.annotations = { "run.oci.hooks.stdout": out, "run.oci.hooks.stderr": err };
      };
      expect((await box.run(config(change))).status).toBe(0);
      expect(readFileSync(out, "utf8")).toBe(names.map((name) => `${name}\n`).join(""));
      expect(readFileSync(err, "utf8")).toBe(names.map((name) => `no ${name}\n`).join(""));
    },
  );
});

describe("hooks of the runtime", () => {
  rootTest("run in order, each at its time, with the container's state", async () => {
    const directory = box.directory("log");
    const names: HookName[] = ["prestart", "createRuntime", "poststop"];
    const container = await box.create(sleeper(everyHook(recorder(directory), ...names)));
    const seen = () => entries(directory).map(({ name }) => name);
    expect(seen()).toEqual(["prestart", "createRuntime"]);
    await container.start();
    await container.kill("KILL");
    await container.exit();
    await container.delete();
    expect(seen()).toEqual(names);

    for (const { state, mountNamespace, extra } of entries(directory)) {
      expect(state).toMatchObject({ id: container.id, bundle: container.bundle.path });
      expect(mountNamespace).toBe(box.mountNamespace);
      expect(extra).toBe("set");
    }
    const statuses = entries(directory).map(({ state }) => state.status);
    expect(statuses[0]).toMatch(/^creat(ing|ed)$/);
    expect(statuses.at(-1)).toBe("stopped");
    expect(entries(directory)[1]?.state.pid).toBe(container.pid);
  });

  peersDiffer({ runc: "1.1 runs it in create" })(
    "poststart runs in start, after the program has started",
    async () => {
      const directory = box.directory("log");
      const container = await box.create(sleeper(everyHook(recorder(directory), "poststart")));
      expect(entries(directory)).toEqual([]);
      await container.start();
      expect(entries(directory).map(({ name, state }) => [name, state.status])).toEqual([
        ["poststart", "running"],
      ]);
      await container.delete("--force");
    },
  );

  peersDiffer({ crun: "it exits with 255" })(
    "a hook that fails makes create fail, with what it has said",
    async () => {
      const path = join(box.directory("bad"), "hook");
      writeFileSync(path, "#!/bin/sh\necho reason for it >&2\nexit 3\n", { mode: 0o755 });
      const { status, stderr } = await box.tryCreate(
        config((result) => (result.hooks = { createRuntime: [{ path }] })),
      );
      expect(status).toBe(1);
      expect(stderr).toContain("reason for it");
      expect(stderr).toMatch(/createRuntime|hook/i);
    },
  );

  rootTest("a hook that takes longer than its timeout is killed, and create fails", async () => {
    const hook = { path: "/bin/sleep", args: ["sleep", "30"], timeout: 1 };
    const started = Date.now();
    const { status, stderr } = await box.tryCreate(config((result) => (result.hooks = { prestart: [hook] })));
    expect(status).toBe(1);
    expect(stderr).not.toBe("");
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  peersDiffer({ crun: "1.8 fails then" })(
    "a hook that does not read its standard input is no error",
    async () => {
      const hook = { path: "/bin/true" };
      const annotations = { big: "x".repeat(200_000) };
      const { status } = await box.run(
        config((result) => Object.assign(result, { hooks: { prestart: [hook] }, annotations })),
      );
      expect(status).toBe(0);
    },
  );

  rootTest("a poststop hook that fails is no error of delete", async () => {
    const container = await box.create(
      config((result) => (result.hooks = { poststop: [{ path: "/bin/false" }] })),
    );
    await container.delete();
  });

  peersDiffer({ runc: "1.1 passes its own on", crun: "1.8 passes its own on" })(
    "without env a hook's environment is empty",
    async () => {
      const directory = box.directory("env");
      const path = join(directory, "hook");
      writeFileSync(path, `#!/bin/sh\n/usr/bin/env > ${directory}/env\n`, { mode: 0o755 });
      await box.run(config((result) => (result.hooks = { prestart: [{ path }] })));
      const variables = readFileSync(join(directory, "env"), "utf8").trimEnd().split("\n");
      // The shell adds these itself.
      expect(variables.filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line))).toEqual([]);
    },
  );
});

describe("hooks of the container", () => {
  rootTest("startContainer runs in it, before the program", async () => {
    const { status, stdout } = await box.run(
      shell("cat /tmp/seen", (result) => {
        const script = "cat > /tmp/state; echo $(pwd) $$ > /tmp/seen";
        result.hooks = {
          startContainer: [{ path: "/bin/sh", args: ["sh", "-c", script], env: ["PATH=/bin"] }],
        };
      }),
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\/ \d+\n$/);
  });

  rootTest(
    "createContainer runs in its namespaces, by the runtime's paths, before the root is changed",
    async () => {
      const directory = box.directory("log");
      const container = await box.create(
        sleeper(everyHook(recorder(directory), "createRuntime", "createContainer")),
      );
      const [, second] = entries(directory);
      expect(second?.name).toBe("createContainer");
      expect(second?.mountNamespace).not.toBe(box.mountNamespace);
      expect(second?.mountNamespace).toBe(readlinkSync(`/proc/${container.pid}/ns/mnt`));
      await container.delete();
    },
  );

  peersDiffer({
    runc: "its start does not wait for that",
    crun: "its start does not wait for that",
  })("a startContainer hook that fails makes start fail", async () => {
    const container = await box.create(
      config((result) => (result.hooks = { startContainer: [{ path: "/bin/false" }] })),
    );
    const { status, stderr } = await container.call("start");
    expect(status).toBe(1);
    expect(stderr).toMatch(/startContainer|hook/i);
    await container.exit();
    await container.delete("--force");
  });
});
