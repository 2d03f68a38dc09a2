/** Where the prelude runs: as a plain user, by the dynamic linker's command line, on other processors. */
import { describe, expect } from "bun:test";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canMakeAccounts, withoutSubordinateIds } from "./support/accounts.ts";
import {
  command,
  type Finished,
  isAlive,
  output,
  processStatus,
  statusField,
  until,
} from "./support/command.ts";
import { type Change, rootless, sleeper } from "./support/config.ts";
import { reap } from "./support/libc.ts";
import { findProgram, repository, runtimeKind, runtimePath, searchPath } from "./support/machine.ts";
import { testIf } from "./support/peers.ts";
import { asItComes, byEngine, filesUnder, traced, tracedTest } from "./support/prelude.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("prelude-places");
const root = ["--root", box.state];

const userTest = canMakeAccounts ? tracedTest : testIf(false, "needs useradd and setpriv");

/** A directory that the plain user owns. */
function ownDirectory(name: string): string {
  const { uid, gid } = withoutSubordinateIds();
  const path = box.directory(name);
  chownSync(path, uid, gid);
  return path;
}

/** Creates a container of the plain user's; its id, and the number of its init. */
async function createOwn(
  globals: string[],
  env: Record<string, string>,
): Promise<{ id: string; pid: number }> {
  const { uid, gid, become } = withoutSubordinateIds();
  const { path } = box.bundle(sleeper((result) => rootless(result, uid, gid)));
  const files = ownDirectory("files");
  const id = `own-${box.id()}`;
  // Init keeps what create's output goes to.
  const script = `"$0" "$@" > ${files}/output 2>&1 || cat ${files}/output; cat ${files}/pid`;
  const create = [...globals, "create", "--bundle", path, "--pid-file", join(files, "pid"), id];
  const made = await asItComes(create, { wrap: [...become, "sh", "-c", script], env });
  expect([made.status, made.stdout]).toEqual([0, expect.stringMatching(/^\d+$/)]);
  return { id, pid: Number(made.stdout) };
}

const ended = (pid: number) => until("it ends", () => reap(pid) ?? !isAlive(pid));

describe("a plain user", () => {
  userTest("has the containers in XDG_RUNTIME_DIR, from create to delete", async () => {
    const { uid, become } = withoutSubordinateIds();
    const env = { XDG_RUNTIME_DIR: ownDirectory("session") };
    const { id, pid } = await createOwn([], env);
    const call = async (...args: string[]) => {
      const done = await traced(box, args, { env }, become);
      expect([args, done.status, done.stderr, done.worker]).toEqual([args, 0, "", "prelude"]);
      return done.stdout;
    };
    const engine = await byEngine(["state", id], { wrap: become, env });
    expect(await call("state", id)).toBe(engine.stdout);
    await call("start", id);
    expect(JSON.parse(await call("state", id))).toMatchObject({ status: "running", pid });
    expect(statusField(processStatus(pid), "Uid").split("\t")[0]).toBe(String(uid));
    await call("kill", id, "KILL");
    await ended(pid);
    await call("delete", id);
    const gone = await asItComes(["state", id], { wrap: become, env });
    expect([gone.status, gone.stderr]).toEqual([1, `bunc: container "${id}" does not exist\n`]);
  });

  userTest("gets no other user's directory, whatever XDG_RUNTIME_DIR says", async () => {
    const { become } = withoutSubordinateIds();
    const foreign = box.directory("foreign");
    const container = await box.create(sleeper());
    const directory = join(foreign, "bunc", container.id);
    mkdirSync(directory, { recursive: true });
    chmodSync(foreign, 0o777);
    chmodSync(join(foreign, "bunc"), 0o777);
    const record = readFileSync(join(box.state, container.id, "state.json"));
    writeFileSync(join(directory, "state.json"), record, { mode: 0o644 });
    for (const value of [foreign, `${foreign}/`, "", "relative", "/nonexistent"]) {
      const around = { wrap: become, env: { XDG_RUNTIME_DIR: value } };
      const engine = await byEngine(["state", container.id], around);
      expect([value, await asItComes(["state", container.id], around)]).toEqual([value, engine]);
      expect([engine.status, engine.stdout]).toEqual([1, ""]);
    }
  });
});

describe("a state root in which nothing may be changed", () => {
  /** What comes of a command when a directory is read-only, and what is left then. */
  async function inLocked(
    run: typeof byEngine,
    before: readonly string[][],
    line: readonly string[],
    lock: (state: string, id: string) => string,
  ): Promise<unknown> {
    const { become } = withoutSubordinateIds();
    const around = { wrap: become };
    const state = ownDirectory("locked");
    const { id, pid } = await createOwn(["--root", state], {});
    const args = ([verb = "", ...rest]: readonly string[]) => ["--root", state, verb, id, ...rest];
    for (const each of before) expect((await asItComes(args(each), around)).status).toBe(0);
    if (before.length > 0) await ended(pid);
    const locked = lock(state, id);
    chmodSync(locked, 0o500);
    const { status, stdout, stderr }: Finished = await run(args(line), around);
    const left = filesUnder(state).map((name) => name.replace(id, "ID"));
    const runs = isAlive(pid);
    chmodSync(locked, 0o700);
    await asItComes(args(["delete", "--force"]), around);
    if (runs) await ended(pid);
    return [status, stdout, stderr.replaceAll(state, "STATE").replaceAll(id, "ID"), left, runs];
  }

  userTest("what failed is told, and is not misunderstood afterwards", async () => {
    const cases = [
      [[], ["start"], (state: string, id: string) => join(state, id)],
      [[["start"], ["kill", "KILL"]], ["delete"], (state: string, id: string) => join(state, id)],
      [[["start"], ["kill", "KILL"]], ["delete"], (state: string) => state],
    ] as const;
    for (const [before, line, lock] of cases) {
      const engine = await inLocked(byEngine, before as unknown as string[][], line, lock);
      expect(await inLocked(asItComes, before as unknown as string[][], line, lock)).toEqual(engine);
      expect(engine).toEqual([
        1,
        "",
        expect.stringMatching(/^bunc: unlinkat.*EACCES/),
        expect.anything(),
        line[0] === "start",
      ]);
    }
  });
});

describe("other ways to run it", () => {
  const annotated: Change = (result) => (result.annotations = { "ä\n": "ü😀" });

  tracedTest(
    "by the dynamic linker, without address randomization, with another layout of memory",
    async () => {
      const linker =
        /\/lib[\w/.-]*\/ld-linux[\w.-]*/.exec(await output(["head", "-c", "4096", runtimePath]))?.[0] ?? "";
      const container = await box.create(sleeper(annotated));
      const engine = await byEngine([...root, "state", container.id]);
      for (const wrap of [
        [linker],
        [linker, "--inhibit-cache"],
        ["setarch", "-R"],
        ["setarch", "-R", "--addr-compat-layout"],
      ]) {
        expect([wrap, await asItComes([...root, "state", container.id], { wrap })]).toEqual([wrap, engine]);
        const missing = await asItComes([...root, "state", "nothing"], { wrap });
        expect([wrap, missing.status, missing.stderr]).toEqual([
          wrap,
          1,
          'bunc: container "nothing" does not exist\n',
        ]);
      }
    },
  );

  tracedTest("without /proc, where nothing is known of processes, nothing is said or done", async () => {
    const container = await box.create(sleeper(), { globals: ["--cgroup-manager=disabled"] });
    await container.start();
    const wrap = [
      "unshare",
      "--mount",
      "--propagation",
      "private",
      "sh",
      "-c",
      'umount -l /proc; exec "$0" "$@"',
    ];
    for (const verb of ["state", "kill", "delete"]) {
      const engine = await byEngine([...root, verb, container.id], { wrap });
      const usual = await asItComes([...root, verb, container.id], { wrap });
      expect([verb, usual.status, usual.stdout]).toEqual([verb, engine.status, engine.stdout]);
      expect([verb, usual.status === 0]).toEqual([verb, false]);
    }
    expect(await container.status()).toBe("running");
  });

  // Debian's libc6-arm64-cross: the C library that the emulated program loads.
  const library = "/usr/aarch64-linux-gnu";
  const emulator = findProgram("qemu-aarch64-static") ?? "";
  const arm64Test = testIf(
    runtimeKind === "bunc" && process.arch === "x64" && emulator !== "" && existsSync(`${library}/lib`),
    "tests bunc's own build, on x86-64, with qemu-user-static and libc6-arm64-cross",
  );

  arm64Test("on arm64, emulated: state, start, kill and delete as on this processor", async () => {
    const build = [process.execPath, join(repository, "bin/build.ts"), "arm64"];
    const env = { PATH: searchPath, HOME: process.env.HOME ?? box.path };
    await command(build, { env, timeout: 60_000 });
    const container = await box.create(sleeper(annotated));
    // The emulator prints every call of its program: the dynamic linker and the prelude make 120, the engine 400.
    const call = async (...args: string[]) => {
      const program = [emulator, "-strace", "-L", library, join(repository, "dist/bunc-arm64")];
      const { status, stdout, stderr } = await command([...program, ...root, ...args]);
      expect([args, status, stderr.split("\n").length < 200]).toEqual([args, 0, true]);
      return stdout;
    };
    const state = async (status: string) => {
      const native = await asItComes([...root, "state", container.id]);
      expect(await call("state", container.id)).toBe(native.stdout);
      expect(JSON.parse(native.stdout).status).toBe(status);
    };
    await state("created");
    await call("start", container.id);
    await state("running");
    await container.call("pause");
    await state("paused");
    await container.call("resume");
    await call("kill", container.id, "SIGKILL");
    await container.exit();
    await state("stopped");
    await call("delete", container.id);
    expect(existsSync(join(box.state, container.id))).toBe(false);
  });
});
