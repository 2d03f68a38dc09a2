/**
 * Command lines and surroundings that are not the usual: the prelude leaves them to the engine, which begins anew. What
 * comes of them is the same as without the prelude, and nothing is done by halves.
 */
import { describe, expect } from "bun:test";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { O } from "../ffi/constants/file.ts";
import { openFile } from "../ffi/file.ts";
import { spawn, waitFor } from "../ffi/process.ts";
import { runtimePath } from "./support/machine.ts";
import { oursOnly } from "./support/peers.ts";
import { asItComes, Pair, traced, tracedTest } from "./support/prelude.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("prelude-unusual");
const root = ["--root", box.state];
const pair = new Pair(box);

const commands = ["state", "start", "kill", "delete"] as const;

describe("command lines", () => {
  tracedTest("that the engine refuses, or answers with help", async () => {
    const [{ id }, { id: stopped }] = await pair.containers();
    const lines: readonly (readonly string[])[] = [
      [],
      ["--help"],
      ["-h"],
      ["-?"],
      ["--version"],
      ["-v"],
      [...root],
      ["--root"],
      ["--root="],
      ["--root", ""],
      ["--root", "", "state", id],
      ["--log"],
      ["--log", "", ...root, "state", id],
      ["--log=", ...root, "state", id],
      ["--log", "/nonexistent/log", ...root, "state", id],
      ["--log", box.path, ...root, "state", id],
      ["--log-format", "xml", ...root, "state", id],
      ["--log-format", ...root, "state", id],
      ["--log-level", "loud", ...root, "state", id],
      ["--log-levels", "error", ...root, "state", id],
      ["--rootless", ...root, "state", id],
      ["--cgroup-manager=", ...root, "state", id],
      ["--systemd-cgroup=maybe", ...root, "state", id],
      ["--no-systemd-cgroup", ...root, "state", id],
      ["--rootx", box.state, "state", id],
      ["--bogus", ...root, "state", id],
      ["-x", ...root, "state", id],
      ["-", ...root, "state", id],
      [...root, "stat", id],
      [...root, "states", id],
      [...root, "STATE", id],
      [...root, "", id],
      ...commands.flatMap((command) => [
        [...root, command],
        [...root, command, ""],
        [...root, command, "."],
        [...root, command, ".."],
        [...root, command, `../${id}`],
        [...root, command, `./${id}`],
        [...root, command, `${id}/`],
        [...root, command, "a b"],
        [...root, command, "ä"],
        [...root, command, "-"],
        [...root, command, "nothing"],
        [...root, command, "x".repeat(255)],
        [...root, command, "x".repeat(256)],
        [...root, command, "x".repeat(5000)],
        ["--root", "/nonexistent", command, id],
        ["--root", `/${"long/".repeat(290)}`, command, id],
        ["--root", `/${"long/".repeat(600)}`, command, id],
        ["--root", join(box.state, id, "state.json"), command, id],
        [...root, command, id, "--bogus"],
        [...root, command, "--bogus", id],
        [...root, command, id, "--root", "/"],
        [...root, command, id, "--help"],
        [...root, command, "-h"],
        [...root, command, id, "more", "even more"],
      ]),
      ...["state", "start", "delete"].map((command) => [...root, command, id, "more"]),
      ...["--all=maybe", "-x", "--signal", "--signal="].map((word) => [...root, "kill", id, word]),
      [...root, "kill", id, "--signal", "KILL", "TERM"],
      [...root, "kill", stopped],
      [...root, "kill", stopped, "KILL"],
      [...root, "kill", stopped, "0"],
      ...[
        "",
        "SIG",
        "NOTHING",
        "SIG9",
        "SIGSIGTERM",
        "65",
        "99",
        "-1",
        "+9",
        "100",
        "9 ",
        " 9",
        "0x9",
        "1e1",
        "RTMAX-31",
        "RTMIN+40",
      ].map((word) => [...root, "kill", id, word]),
    ];
    for (const line of lines) await pair.same(line);
    expect((await traced(box, [...root, "state", "nothing"])).worker).toBe("engine");
  });

  tracedTest("that the engine alone understands", async () => {
    const [{ id }] = await pair.containers();
    const lines: readonly (readonly string[])[] = [
      [...root, "--", "state", id],
      [...root, "state", "--", id],
      ["-root", box.state, "state", id],
      ["--root", box.state, "--systemd-cgroup=true", "state", id],
      ["--root", box.state, "--criu", "/bin/true", "state", id],
      ["--root", `.${box.state}`, "state", id],
      ["--root", box.state.slice(1), "state", id],
      [...root, "kill", "--signal", "0", id],
      [...root, "kill", "-s", "WINCH", id],
      ...["winch", "sigwinch", "RTMIN", "SIGRTMIN+3", "RTMAX-1", "CLD"].map((word) => [
        ...root,
        "kill",
        id,
        word,
      ]),
      [...root, "kill", "--all", id, "WINCH"],
      [...root, "kill", "-a", id, "0"],
      [...root, "kill", "--regex", `^${id}$`, "WINCH"],
      [...root, "delete", "--regex", "^nothing$"],
      [...root, "delete", "--force", "nothing"],
      [...root, "delete", "-f", "nothing"],
      [...root, "list", "--quiet"],
    ];
    for (const line of lines) {
      expect([line, (await pair.same(line, { cwd: "/" })).status]).toEqual([line, 0]);
      expect([line, (await traced(box, line)).worker]).toEqual([line, "engine"]);
    }
  });

  oursOnly("--debug and --log-level debug say what is done", async () => {
    const [{ id }] = await pair.containers();
    for (const flags of [["--debug"], ["--log-level", "debug"], ["--log-level=debug"]]) {
      expect((await pair.same([...root, ...flags, "state", id])).stderr).toContain(`state -- ${id}`);
    }
  });
});

describe("the program's name and environment", () => {
  oursOnly("ch-run-oci has options of its own", async () => {
    const [{ id }] = await pair.containers();
    for (const name of ["ch-run-oci", "xch-run-oci", "h-run-oci", "x"]) {
      const directory = box.directory("named");
      const program = join(directory, name);
      symlinkSync(runtimePath, program);
      await pair.same(["--version"], { program });
      await pair.same([...root, "state", id], { program });
      await pair.same([...root, "--verbose", "state", id], { program });
    }
  });

  oursOnly("without a name it is called bunc", () => {
    using nowhere = openFile("/dev/null", O.WRONLY);
    for (const env of [[], ["BUNC_NO_PRELUDE=1"]]) {
      expect(waitFor(spawn(runtimePath, [], env, { stdout: nowhere.fd })).signal).toBe(0);
      expect(
        waitFor(spawn(runtimePath, ["", ...root, "state", "nothing"], env, { stderr: nowhere.fd })),
      ).toEqual({
        status: 1,
        signal: 0,
      });
    }
  });

  tracedTest("variables of bunc's own, and of ch-run-oci", async () => {
    const [{ id }] = await pair.containers();
    const log = join(box.path, "log");
    for (const env of [
      { BUNC_LOG: log },
      { CH_LOG_FILE: log },
      { BUNC_TIMING: "1" },
      { BUNC_TRACE: "1" },
      { BUNC_: "" },
    ]) {
      const done = await traced(box, [...root, "state", id], { env: env as Record<string, string> });
      expect([env, done.status, done.worker]).toEqual([env, 0, "engine"]);
    }
    expect(readFileSync(log, "utf8")).toContain(`state -- ${id}`);
    const others = { BUNCX: "1", CH: "1", BUN_: "1", NOTIFY_SOCKET: "/nonexistent" };
    expect((await traced(box, [...root, "state", id], { env: others })).worker).toBe("prelude");
  });

  tracedTest("long arguments and a long environment, and many of them", async () => {
    const [{ id }] = await pair.containers();
    const env = Object.fromEntries(
      Array.from({ length: 5000 }, (_, index) => [`V${index}`, "x".repeat(100)]),
    );
    expect(await traced(box, [...root, "state", id], { env })).toMatchObject({
      status: 0,
      worker: "prelude",
    });
    await pair.same([...root, "state", id], { env: { LONG: "x".repeat(120_000) } });
    await pair.same([...root, "state", "x".repeat(120_000)]);
    await pair.same(["--root", `/${"x".repeat(120_000)}`, "state", id]);
    await pair.same([...root, ...Array(2000).fill("--systemd-cgroup"), "state", id]);
    await pair.same([...root, "kill", id, "9".repeat(100_000)]);
  });

  oursOnly("a small stack: where the engine has room, the prelude has", async () => {
    const [{ id }] = await pair.containers();
    for (const kibibytes of [192, 256, 1024]) {
      await pair.same([...root, "state", id], { wrap: ["prlimit", `--stack=${1024 * kibibytes}`] });
    }
    const small = await asItComes([...root, "state", id], { wrap: ["prlimit", "--stack=65536"] });
    expect(small.status).toBe(0);
  });
});
