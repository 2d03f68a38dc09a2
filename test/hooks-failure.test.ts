/** Hooks that fail: what is said, what is undone, and which other hooks are run. */
import { describe, expect } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findGroups } from "./support/cgroups.ts";
import { isAlive, until } from "./support/command.ts";
import { type Config, config, type Hook, type HookName, sleeper } from "./support/config.ts";
import { reap } from "./support/libc.ts";
import { oursOnly, peersDiffer } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("hooks-failure");

const children = () =>
  readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ").map(Number);

const script = (text: string): Hook => ({
  path: "/bin/sh",
  args: ["sh", "-c", text],
  env: ["PATH=/bin:/usr/bin"],
});

/** Hooks that each note their name in a file; `failing` fails after that. */
function noting(names: HookName[], failing?: HookName) {
  const log = join(box.directory("log"), "log");
  writeFileSync(log, "");
  const hooks: Config["hooks"] = {};
  for (const name of names) hooks[name] = [script(`echo ${name} >> ${log}`)];
  if (failing) hooks[failing]?.push(script("echo the reason >&2; exit 5"), script(`echo never >> ${log}`));
  return { hooks, noted: () => readFileSync(log, "utf8").split("\n").filter(Boolean) };
}

const whileCreating: HookName[] = ["prestart", "createRuntime", "createContainer"];

describe("a hook that fails during create", () => {
  for (const name of whileCreating) {
    peersDiffer({ crun: "its words and statuses differ" })(
      `${name}: no later one is run, but poststop is, and nothing is left`,
      async () => {
        const { hooks, noted } = noting([...whileCreating, "poststart", "poststop"], name);
        const { status, stdout, stderr, id } = await box.tryCreate(
          sleeper((result) => (result.hooks = hooks)),
        );
        expect([status, stdout]).toEqual([1, ""]);
        expect(stderr).toContain("the reason");
        const until = whileCreating.slice(0, whileCreating.indexOf(name) + 1);
        expect(noted()).toEqual([...until, "poststop"]);
        expect([existsSync(`${box.state}/${id}`), findGroups(id)]).toEqual([false, []]);
      },
    );
  }

  oursOnly("is named in one line, with its path, its end, and what it has said", async () => {
    const cases: [HookName, Hook, string][] = [
      ["createRuntime", script("echo a; echo b >&2; exit 3"), "failed with exit status 3 (/bin/sh): a; b"],
      ["createContainer", script("kill -9 $$"), "was ended by SIGKILL (/bin/sh)"],
      ["prestart", { path: "/no/such" }, "could not be executed (/no/such): "],
      ["createContainer", { path: "/no/such" }, ': execve("/no/such", ["/no/such"], []): ENOENT'],
      ["createContainer", { path: "/etc/passwd" }, ': execve("/etc/passwd", ["/etc/passwd"], []): EACCES'],
      ["prestart", { ...script("sleep 30"), timeout: 1 }, "did not end within its timeout of 1 s"],
      [
        "createContainer",
        { ...script("exec sleep 30"), timeout: 1 },
        "did not end within its timeout of 1 s",
      ],
    ];
    for (const [name, hook, expected] of cases) {
      const { status, stderr } = await box.tryCreate(
        sleeper((result) => (result.hooks = { [name]: [hook] })),
      );
      expect(status).toBe(1);
      expect(stderr).toMatch(/^[^\n]+\n$/);
      expect(stderr).toStartWith(`bunc: hooks.${name}[0]${expected.startsWith(":") ? "" : " "}${expected}`);
    }
  });
});

describe("poststop", () => {
  peersDiffer({ runc: "it runs them all the same" })(
    "is not run when nothing was done before the create failed",
    async () => {
      const { hooks, noted } = noting(["poststop"]);
      const { status } = await box.tryCreate(
        sleeper((result) => {
          result.hooks = hooks;
          result.mounts.push({ destination: "/x", source: "/no/such", options: ["bind"] });
        }),
      );
      expect([status, noted()]).toEqual([1, []]);
    },
  );

  oursOnly("is run when create fails later, and when run does", async () => {
    const { hooks, noted } = noting(["createRuntime", "poststop"]);
    const change = (result: Config) => (result.hooks = hooks);
    const flags = ["--pid-file", "/no/such/directory/pid"];
    expect((await box.tryCreate(sleeper(change), { flags })).status).toBe(1);
    expect(noted()).toEqual(["createRuntime", "poststop"]);
    const broken = config((result) => {
      change(result);
      result.process.args = ["/script"];
    });
    const prepare = (rootfs: string) => writeFileSync(`${rootfs}/script`, "#!/no/such\n", { mode: 0o755 });
    expect((await box.run(broken, { prepare })).status).toBe(1);
    expect(noted().slice(2)).toEqual(["createRuntime", "poststop"]);
  });

  oursOnly("runs all of them, and warns of each that fails", async () => {
    const { hooks, noted } = noting(["poststop"], "poststop");
    const container = await box.create(sleeper((result) => (result.hooks = hooks)));
    const { status, stderr } = await container.call("delete");
    expect([status, noted()]).toEqual([0, ["poststop", "never"]]);
    expect(stderr).toBe("bunc: warning: hooks.poststop[1] failed with exit status 5 (/bin/sh): the reason\n");
  });

  peersDiffer({ crun: "1.8 ends itself in such a delete" })("is run once, by delete as by run", async () => {
    for (const forced of [true, false]) {
      const { hooks, noted } = noting(["poststop"]);
      const container = await box.create(sleeper((result) => (result.hooks = hooks)));
      await container.start();
      if (!forced) {
        await container.kill("KILL");
        await container.exit();
      }
      await container.delete(...(forced ? ["--force"] : []));
      await box.runtime(["delete", "--force", container.id]);
      expect(noted()).toEqual(["poststop"]);
    }
    const { hooks, noted } = noting(["poststop"]);
    await box.run(config((result) => (result.hooks = hooks)));
    expect(noted()).toEqual(["poststop"]);
  });
});

describe("a hook that fails during start", () => {
  for (const name of ["startContainer", "poststart"] as const) {
    oursOnly(`${name}: the container is gone, and poststop was run`, async () => {
      const { hooks, noted } = noting(["createRuntime", "poststop"]);
      hooks[name] = [{ path: "/bin/sh", args: ["sh", "-c", "echo the reason; exit 6"], env: ["PATH=/bin"] }];
      const container = await box.create(sleeper((result) => (result.hooks = hooks)));
      const { status, stderr } = await container.call("start");
      expect(status).toBe(1);
      expect(stderr).toBe(`bunc: hooks.${name}[0] failed with exit status 6 (/bin/sh): the reason\n`);
      expect(await container.exit()).toBe(137);
      expect(noted()).toEqual(["createRuntime", "poststop"]);
      expect(existsSync(`${box.state}/${container.id}`)).toBe(false);
      expect(findGroups(container.id)).toEqual([]);
      expect((await container.call("state")).status).toBe(1);
    });

    oursOnly(`${name}: so does run`, async () => {
      const { hooks, noted } = noting(["createRuntime", "poststop"]);
      hooks[name] = [{ path: "/bin/false" }];
      const { status, stderr } = await box.run(sleeper((result) => (result.hooks = hooks)));
      expect([status, noted()]).toEqual([1, ["createRuntime", "poststop"]]);
      expect(stderr).toStartWith(`bunc: hooks.${name}[0] failed with exit status 1 (/bin/false)`);
    });
  }

  oursOnly("has a time limit inside the container, too", async () => {
    const hook = { path: "/bin/sleep", args: ["sleep", "30"], timeout: 1 };
    const container = await box.create(sleeper((result) => (result.hooks = { startContainer: [hook] })));
    const started = Date.now();
    const { stderr } = await container.call("start");
    expect(Date.now() - started).toBeLessThan(5000);
    expect(stderr).toContain("hooks.startContainer[0] did not end within its timeout of 1 s and was killed");
  });
});

describe("a hook", () => {
  oursOnly("that leaves something running does not hold create", async () => {
    const hook = script("sleep 7 & exit 0");
    const started = Date.now();
    const container = await box.create(sleeper((result) => (result.hooks = { createRuntime: [hook] })));
    expect(Date.now() - started).toBeLessThan(5000);
    await container.delete();
  });

  for (const name of ["createRuntime", "createContainer"] as const) {
    oursOnly(`${name}: a create that is killed during it takes its init with it`, async () => {
      const file = join(box.directory("state"), "state");
      const first = script(`cat > ${file}`);
      const { path } = box.bundle(
        sleeper((result) => {
          result.hooks = { prestart: [first], [name]: [script(`touch ${file}.waits; exec sleep 20`)] };
        }),
      );
      const id = box.id();
      const running = await box.spawn(["create", "--bundle", path, id]);
      await until("the hook", () => existsSync(`${file}.waits`));
      const init: number = JSON.parse(readFileSync(file, "utf8")).pid;
      expect(isAlive(init)).toBe(true);
      const own = children();
      running.kill("SIGKILL");
      // A hook in the pid namespace is this process's child by now, and init waits until it is reaped.
      await until("the end of init", () => {
        for (const pid of children()) if (!own.includes(pid) && pid !== init) reap(pid);
        return !isAlive(init);
      });
      expect((await box.runtime(["delete", "--force", id])).status).toBe(0);
      expect([existsSync(`${box.state}/${id}`), findGroups(id)]).toEqual([false, []]);
    });
  }
});
