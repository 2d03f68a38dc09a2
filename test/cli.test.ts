/** The command line: what is understood, what is refused, and where errors go. */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { command, type Finished, until } from "./support/command.ts";
import { type Config, config, shell, sleeper } from "./support/config.ts";
import { runtimeKind, runtimePath } from "./support/machine.ts";
import { oursOnly, peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("cli");

/** Peers print their help beside the error; ours is one line, for it ends in somebody's build log. */
function expectRefusal({ status, stdout, stderr }: Finished, mention: string | RegExp): void {
  expect(stderr).toMatch(mention);
  expect(status).toBe(1);
  if (runtimeKind !== "bunc") return;
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^[^\n]+\n$/);
}

describe("--version and --help", () => {
  for (const flag of ["--version", "-v"]) {
    rootTest(`${flag} prints what callers parse`, async () => {
      const { status, stdout, stderr } = await command([runtimePath, flag]);
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(/^(bunc|runc|crun) version \S+$/m);
      expect(stdout).toMatch(/^spec: 1\.\d+\.\d+\S*$/m);
    });
  }

  for (const flag of ["--help", "-h"]) {
    const define = flag === "-h" ? peersDiffer({ crun: "it has no -h" }) : rootTest;
    define(`${flag} names the commands`, async () => {
      const { status, stdout } = await command([runtimePath, flag]);
      expect(status).toBe(0);
      for (const verb of ["create", "start", "state", "kill", "delete", "run", "spec"]) {
        expect(stdout).toMatch(new RegExp(`\\b${verb}\\b`));
      }
      for (const option of ["root", "log", "log-format", "debug", "systemd-cgroup"]) {
        expect(stdout).toContain(`--${option}`);
      }
    });
  }

  rootTest("create --help names its options", async () => {
    const { status, stdout } = await command([runtimePath, "create", "--help"]);
    expect(status).toBe(0);
    for (const option of [
      "bundle",
      "console-socket",
      "pid-file",
      "no-pivot",
      "no-new-keyring",
      "preserve-fds",
    ]) {
      expect(stdout).toContain(`--${option}`);
    }
  });
});

describe("refused, with exit status 1", () => {
  const verbs = ["create", "start", "state", "kill", "delete", "run", "spec"];
  for (const verb of verbs) {
    peersDiffer({ crun: "it exits with 64, as argp does" })(`${verb} --nosuch`, async () => {
      expectRefusal(await box.runtime([verb, "--nosuch", "id"]), "nosuch");
    });
  }

  peersDiffer({ crun: "it exits with 64, as argp does" })("--nosuch before the command", async () => {
    expectRefusal(await box.runtime(["state", "id"], { globals: ["--nosuch"] }), "nosuch");
  });

  peersDiffer({ runc: "it exits with 3" })("an unknown command", async () => {
    expectRefusal(await box.runtime(["nosuch"]), "nosuch");
  });

  for (const verb of ["create", "start", "state", "kill", "delete", "run"]) {
    rootTest(`${verb} without an id`, async () => {
      const { status, stderr } = await box.runtime([verb]);
      expect(stderr).not.toBe("");
      expect(status).toBe(1);
    });
  }

  for (const verb of ["create", "start", "state"]) {
    peersDiffer({ crun: "it ignores them" })(`${verb} with a second argument`, async () => {
      const { status, stderr } = await box.runtime([verb, "one", "two"]);
      expect(stderr).not.toBe("");
      expect(status).toBe(1);
    });
  }

  peersDiffer({ crun: "it reads no further than it can" })(
    "--preserve-fds with a value that is no number",
    async () => {
      const values = runtimeKind === "runc" ? ["many", "1x"] : ["many", "1x", "-1"];
      for (const value of values) {
        const { status, stderr } = await box.run(config(), { flags: [`--preserve-fds=${value}`] });
        expect([value, status, stderr === ""]).toEqual([value, 1, false]);
      }
    },
  );

  rootTest("--log-format with a format that does not exist", async () => {
    expectRefusal(await box.runtime(["state", "id"], { globals: ["--log-format", "xml"] }), "xml");
  });

  peersDiffer({ runc: "it has no such option", crun: "its error does not name it" })(
    "--cgroup-manager with a manager that does not exist",
    async () => {
      expectRefusal(
        await box.runtime(["state", "id"], { globals: ["--cgroup-manager", "nosuch"] }),
        "nosuch",
      );
    },
  );

  peersDiffer({ crun: "it exits with 64, as argp does" })("an option without its value", async () => {
    const { status, stderr } = await box.runtime(["create", "--bundle"]);
    expect(stderr).not.toBe("");
    expect(status).toBe(1);
  });
});

describe("what apptainer and cc-oci-runtime call otherwise", () => {
  oursOnly("stop is delete --force, list --all is list", async () => {
    const container = await box.create(sleeper());
    await container.start();
    expect((await box.runtime(["list", "--all", "--quiet"])).stdout).toContain(container.id);
    expect(await box.runtime(["stop", container.id])).toEqual({ status: 0, stdout: "", stderr: "" });
    expect((await container.call("state")).status).toBe(1);
    // It is called twice there.
    expect((await box.runtime(["stop", container.id])).status).toBe(0);
  });

  oursOnly("kill --signal, kill --force, update --from-file", async () => {
    for (const [flags, status] of [
      [["--signal", "USR1"], 3],
      [["-s", "10"], 3],
      [["--force"], 137],
    ] as const) {
      const container = await box.create(
        shell("trap 'exit 3' USR1; echo > /ready; while :; do sleep 0.1; done"),
      );
      await container.start();
      await until("the trap", () => existsSync(`${container.bundle.rootfs}/ready`));
      expect((await box.runtime(["kill", ...flags, container.id])).status).toBe(0);
      expect(await container.exit()).toBe(status);
      await container.delete();
    }
    const container = await box.create(sleeper());
    const file = `${box.path}/limits.json`;
    writeFileSync(file, JSON.stringify({ pids: { limit: 77 } }));
    expect((await box.runtime(["update", "--from-file", file, container.id])).stderr).toBe("");
    const stats = JSON.parse((await box.runtime(["events", "--stats", container.id])).stdout);
    expect(stats.data.pids.limit).toBe(77);
    const twice = await box.runtime(["kill", "--force", container.id, "TERM"]);
    expect([twice.status, twice.stderr]).toEqual([1, expect.stringContaining("more than once")]);
    await container.delete("--force");
  });

  oursOnly("run --dry-run makes nothing, and finds what is wrong with a bundle", async () => {
    const id = box.id();
    const { path, rootfs } = box.bundle(shell("echo > /made"));
    const flags = ["run", "--dry-run", "--bundle"];
    expect(await box.runtime([...flags, path, id])).toEqual({ status: 0, stdout: "", stderr: "" });
    expect([existsSync(`${rootfs}/made`), existsSync(`${box.state}/${id}`)]).toEqual([false, false]);
    const wrong = box.bundle(config((changed) => (changed.process.cwd = "relative")));
    const { status, stderr } = await box.runtime([...flags, wrong.path, id]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("process.cwd")]);
  });
});

describe("how options are written", () => {
  rootTest("--opt value, --opt=value, -o value", async () => {
    const { path } = box.bundle(config());
    for (const flags of [["--bundle", path], [`--bundle=${path}`], ["-b", path]]) {
      expect((await box.runtime(["run", ...flags, box.id()])).status).toBe(0);
    }
  });

  peersDiffer({ crun: "it reads them as a row of short options" })(
    "-opt value and -opt=value, as go callers do",
    async () => {
      const { path } = box.bundle(config());
      for (const flags of [
        ["-bundle", path],
        [`-bundle=${path}`, "-no-pivot=false"],
      ]) {
        expect((await box.runtime(["run", ...flags, box.id()])).status).toBe(0);
      }
    },
  );

  rootTest("--no-new-keyring and --no-pivot are options, not negations", async () => {
    const { path } = box.bundle(config());
    const result = await box.runtime(["run", "--no-new-keyring", "--no-pivot", "--bundle", path, box.id()]);
    expect(result).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  rootTest("global options before the command", async () => {
    const root = `${box.path}/other-root`;
    for (const globals of [["--root", root], [`--root=${root}`]]) {
      const { path } = box.bundle(config());
      expect((await box.runtime(["run", "--bundle", path, box.id()], { globals })).status).toBe(0);
      expect(existsSync(root)).toBe(true);
    }
  });

  rootTest("--systemd-cgroup is understood by calls that need no cgroup", async () => {
    const container = await box.create(sleeper());
    const { status, stdout } = await box.runtime(["state", container.id], { globals: ["--systemd-cgroup"] });
    expect([status, JSON.parse(stdout).status]).toEqual([0, "created"]);
    await container.delete();
  });

  rootTest("--debug leaves standard output as it is", async () => {
    const container = await box.create(sleeper());
    const { status, stdout } = await box.runtime(["state", container.id], { globals: ["--debug"] });
    expect([status, JSON.parse(stdout).id]).toEqual([0, container.id]);
    await container.delete();
  });

  peersDiffer({ crun: "it has no such options" })(
    "--rootless and --criu, which old callers pass",
    async () => {
      for (const globals of [["--rootless", "auto"], ["--rootless=false"], ["--criu", "/usr/sbin/criu"]]) {
        const { status } = await box.run(config(), { globals });
        expect([globals, status]).toEqual([globals, 0]);
      }
    },
  );
});

describe("--log", () => {
  rootTest("in JSON, one object a line, as podman and containerd read it", async () => {
    const log = `${box.path}/log.json`;
    const before = Date.now();
    const globals = ["--log", log, "--log-format", "json"];
    const { status } = await box.runtime(["state", "no-such-container"], { globals });
    expect(status).toBe(1);
    const lines = readFileSync(log, "utf8").trimEnd().split("\n");
    const last = JSON.parse(lines.at(-1) ?? "");
    expect(last).toMatchObject({ level: "error", msg: expect.stringMatching(/exist|No such file/) });
    expect(last.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
    expect(Math.abs(Date.parse(last.time) - before)).toBeLessThan(5000);
    await box.runtime(["state", "another"], { globals });
    expect(readFileSync(log, "utf8").trimEnd().split("\n").length).toBeGreaterThan(lines.length);
  });

  peersDiffer({ crun: "1.8 does not quote control characters" })("quotes what JSON must quote", async () => {
    const log = `${box.path}/quoting.json`;
    const args = ["run", "--bundle", '/no "such"\nbundle\\', box.id()];
    expect((await box.runtime(args, { globals: ["--log", log, "--log-format=json"] })).status).toBe(1);
    const last = readFileSync(log, "utf8").trimEnd().split("\n").at(-1) ?? "";
    expect(JSON.parse(last).level).toBe("error");
  });

  rootTest("in text", async () => {
    const log = `${box.path}/log.txt`;
    await box.runtime(["state", "no-such-container"], { globals: [`--log=${log}`] });
    expect(readFileSync(log, "utf8")).toMatch(/exist|No such file/);
  });

  rootTest("does not take the error from standard error", async () => {
    const { stderr } = await box.runtime(["state", "no-such-container"], {
      globals: ["--log", `${box.path}/too.txt`],
    });
    expect(stderr).toMatch(/exist|No such file/);
  });

  rootTest("in a directory that does not exist is an error", async () => {
    const { status, stderr } = await box.runtime(["state", "x"], {
      globals: ["--log", `${box.path}/no/such/log`],
    });
    expect(status).toBe(1);
    expect(stderr).toContain("/no/such/log");
  });
});

describe("config.json", () => {
  async function createWith(text: string): Promise<Finished> {
    const { path } = box.bundle();
    await Bun.write(`${path}/config.json`, text);
    return box.runtime(["run", "--bundle", path, box.id()]);
  }

  /** A config with one property set to something else. */
  function altered(change: (result: Record<string, unknown>) => void): string {
    const result: Config & Record<string, unknown> = { ...config() };
    change(result);
    return JSON.stringify(result);
  }

  rootTest("missing: the error names it", async () => {
    const { path } = box.bundle();
    const { status, stderr } = await box.runtime(["create", "--bundle", path, box.id()]);
    expect(status).toBe(1);
    expect(stderr).toContain("config.json");
  });

  rootTest("a bundle that does not exist: the error names it", async () => {
    const { status, stderr } = await box.runtime(["create", "--bundle", "/no/such/bundle", box.id()]);
    expect(status).toBe(1);
    expect(stderr).toContain("/no/such/bundle");
  });

  rootTest("that is a directory", async () => {
    const { path } = box.bundle(sleeper());
    rmSync(`${path}/config.json`, { force: true });
    mkdirSync(`${path}/config.json`);
    const { status, stderr } = await box.runtime(["create", "--bundle", path, box.id()]);
    expect(status).toBe(1);
    expect(stderr).toContain("config.json");
    if (runtimeKind === "bunc")
      expect(stderr).toMatch(/^bunc: config\.json cannot be read .*in its place.*\n$/);
  });

  rootTest("that is no JSON", async () => {
    // runc takes null, and ends with a stack trace.
    const texts = ["", "{", "[]", '"text"', ...(runtimeKind === "runc" ? [] : ["null"])];
    for (const text of texts) {
      const { status, stderr } = await createWith(text);
      expect([text, status, stderr === ""]).toEqual([text, 1, false]);
    }
  });

  for (const version of ["1.0.0", "1.0.2-dev", "1.1.0-rc.1", "1.1.0", "1.2.0", "1.3.0", "1.99.3"]) {
    peersDiffer({ crun: "up to 1.14.1 it knows 1.0 only" })(`ociVersion ${version} is taken`, async () => {
      expect((await createWith(altered((result) => (result.ociVersion = version)))).status).toBe(0);
    });
  }

  for (const version of ["2.0.0", "0.9.0", "1", "one", "", undefined, 1]) {
    peersDiffer({ runc: "1.1 does not look at it", crun: "its check differs" })(
      `ociVersion ${JSON.stringify(version)} is refused`,
      async () => {
        const { status, stderr } = await createWith(altered((result) => (result.ociVersion = version)));
        expect(status).toBe(1);
        expect(stderr).toContain("ociVersion");
      },
    );
  }

  rootTest("unknown properties are ignored, wherever they are", async () => {
    const text = JSON.stringify({
      ...config((result) => {
        Object.assign(result.process, { nosuch: 1, user: { uid: 0, gid: 0, nosuch: {} } });
        Object.assign(result.linux, { nosuch: ["x"] });
        Object.assign(result.root, { nosuch: true });
        Object.assign(result.mounts[0] ?? {}, { nosuch: null });
        // Of other systems.
        Object.assign(result.process, { commandLine: "x" });
        Object.assign(result.process.user, { username: "x" });
      }),
      nosuch: { deep: {} },
      windows: { layerFolders: ["x"] },
      solaris: {},
      zos: {},
      freebsd: {},
    });
    expect(await createWith(text)).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  const wrong: [string, (result: Record<string, unknown>) => void][] = [
    [
      "process.user.uid",
      (result) => (result.process = { ...config().process, user: { uid: "root", gid: 0 } }),
    ],
    ["process.user.uid", (result) => (result.process = { ...config().process, user: { uid: -1, gid: 0 } })],
    [
      "process.user.uid",
      (result) => (result.process = { ...config().process, user: { uid: 2 ** 32, gid: 0 } }),
    ],
    ["process.args", (result) => (result.process = { ...config().process, args: "true" })],
    ["process.args", (result) => (result.process = { ...config().process, args: [] })],
    ["process.cwd", (result) => (result.process = { ...config().process, cwd: "relative" })],
    ["mounts", (result) => (result.mounts = {})],
    ["root", (result) => (result.root = undefined)],
    ["root.path", (result) => (result.root = { path: "no-such-rootfs" })],
    ["linux.namespaces", (result) => (result.linux = { namespaces: [{ type: "nosuch" }] })],
    ["linux.namespaces", (result) => (result.linux = { namespaces: [{ type: "pid" }, { type: "pid" }] })],
  ];
  for (const [path, change] of wrong) {
    const text = altered(change);
    const value = path
      .split(".")
      .reduce<unknown>((object, key) => (object as Record<string, unknown>)?.[key], JSON.parse(text));
    const define = /process\.(user\.uid|cwd)/.test(path)
      ? peersDiffer({ crun: "1.8 does not look" })
      : rootTest;
    define(
      `${path}: ${JSON.stringify(value)} is refused${runtimeKind === "bunc" ? " by name" : ""}`,
      async () => {
        const { status, stderr } = await createWith(text);
        expect(status).toBe(1);
        if (runtimeKind === "bunc") expectRefusal({ status, stdout: "", stderr }, path);
        else expect(stderr).not.toBe("");
      },
    );
  }
});
