/** Logs and waits that the environment asks for: no caller need pass an option on. */
import { describe, expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { command, Running, until } from "./support/command.ts";
import { config, sleeper } from "./support/config.ts";
import { runtimePath, searchPath } from "./support/machine.ts";
import { oursOnly } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("debugging");
const argv = (...args: string[]) => [runtimePath, "--root", box.state, ...args];
const read = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : "");
const line = /^time="[^"]+" level=(error|warning|info|debug) msg=".*"$/;

describe("BUNC_LOG and CH_LOG_FILE", () => {
  for (const variable of ["BUNC_LOG", "CH_LOG_FILE"]) {
    oursOnly(`${variable}: every command appends to it, with everything`, async () => {
      const log = join(box.directory("log"), "log");
      const env = { PATH: searchPath, [variable]: log };
      const { path } = box.bundle(config());
      expect(await command(argv("run", "--bundle", path, box.id()), { env })).toMatchObject({ status: 0 });
      const first = read(log);
      expect(first).toContain("level=debug");
      const { stderr } = await command(argv("state", "none"), { env });
      expect(stderr).toBe('bunc: container "none" does not exist\n');
      expect(read(log)).toStartWith(first);
      expect(read(log)).toContain('level=error msg="container \\"none\\" does not exist"');
      for (const each of read(log).trimEnd().split("\n")) expect(each).toMatch(line);
    });
  }

  oursOnly("--log wins, and its level is the usual one", async () => {
    const directory = box.directory("log");
    const [named, other] = [join(directory, "named"), join(directory, "other")];
    await command([...argv("--log", named, "state", "none")], { env: { BUNC_LOG: other } });
    expect(read(named).split("\n").length).toBe(2);
    expect(existsSync(other)).toBe(false);
  });

  oursOnly("one that cannot be opened is one line, and nothing is done", async () => {
    const { path } = box.bundle(config());
    const env = { BUNC_LOG: "/no/such/directory/log" };
    const { status, stdout, stderr } = await command(argv("run", "--bundle", path, box.id()), { env });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^bunc: openat\([^\n]*no\/such[^\n]*\n$/);
  });
});

describe("BUNC_HANG", () => {
  /** Starts a command that must wait, and gives it with what it says, once it does. */
  async function waiting(operation: string, env: Record<string, string>, ...args: string[]) {
    const log = join(box.directory("log"), "log");
    const running = new Running(argv(operation, ...args), {
      env: { PATH: searchPath, BUNC_LOG: log, ...env },
    });
    const text = await until("the wait", () => /[\s\S]*to go on: kill -CONT \d+/.exec(read(log))?.[0]);
    return { running, text };
  }

  for (const operation of ["start", "state", "kill", "delete"]) {
    oursOnly(`${operation}: it waits, says so, and goes on by SIGCONT`, async () => {
      const container = await box.create(sleeper());
      const { running, text } = await waiting(operation, { BUNC_HANG: operation }, container.id);
      expect(text).toContain(`stopped before ${operation} ${container.id}: process ${running.pid}`);
      expect(text).toContain(
        `to look into the container: nsenter --mount --uts --ipc --net --pid --target ${container.pid}`,
      );
      expect(await container.status()).toBe("created");
      running.kill("SIGCONT");
      const { status, stderr } = await running.finished;
      expect(status).toBe(0);
      expect(stderr).toStartWith(
        `bunc: stopped before ${operation} ${container.id}: process ${running.pid}\n`,
      );
      expect(stderr).toEndWith(`bunc: to go on: kill -CONT ${running.pid}\n`);
    });
  }

  oursOnly("the container can be entered by the line that is printed", async () => {
    const container = await box.create(sleeper());
    const { running, text } = await waiting("start", { BUNC_HANG: "start" }, container.id);
    const enter = /to look into the container: (nsenter [^"]*)"/.exec(text)?.[1] ?? "";
    const seen = await command([...enter.split(" "), "/bin/busybox", "hostname"]);
    expect(seen).toEqual({ status: 0, stdout: "bunc-test\n", stderr: "" });
    running.kill("SIGTERM");
    expect((await running.finished).status).toBe(128 + 15);
    expect(await container.status()).toBe("created");
  });

  oursOnly("create: nothing is made yet, and a signal ends it with nothing left", async () => {
    const { path } = box.bundle(config());
    const id = box.id();
    const { running, text } = await waiting("create", { CH_RUN_OCI_HANG: "create" }, "--bundle", path, id);
    expect(text).toContain(`the bundle is ${path}"`);
    expect(existsSync(join(box.state, id))).toBe(false);
    running.kill("SIGINT");
    expect((await running.finished).status).toBe(128 + 2);
    expect(existsSync(join(box.state, id))).toBe(false);
  });

  oursOnly("of another operation, or empty: nothing waits; BUNC_HANG wins over CH_RUN_OCI_HANG", async () => {
    const container = await box.create(sleeper());
    for (const env of [
      { BUNC_HANG: "create" },
      { BUNC_HANG: "", CH_RUN_OCI_HANG: "" },
      { BUNC_HANG: "kill", CH_RUN_OCI_HANG: "state" },
    ]) {
      const { status, stderr } = await command(argv("state", container.id), { env });
      expect([status, stderr]).toEqual([0, ""]);
    }
  });
});
