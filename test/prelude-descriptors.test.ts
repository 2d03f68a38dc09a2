/** What the caller's descriptors and the log are has no part in what the prelude does, or it leaves that to the engine. */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { output } from "./support/command.ts";
import { sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { oursOnly } from "./support/peers.ts";
import { asItComes, byEngine, outcome, Pair } from "./support/prelude.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("prelude-descriptors");
const root = ["--root", box.state];
const pair = new Pair(box);

describe("the caller's descriptors", () => {
  const closing = (redirection: string) => ["sh", "-c", `exec "$0" "$@" ${redirection}`];

  oursOnly("a standard one is closed: no file of the container's takes its place", async () => {
    const [{ id }, { id: stopped }] = await pair.containers();
    for (const redirection of ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"]) {
      const wrap = closing(redirection);
      for (const args of [
        ["state", id],
        ["state", "nothing"],
        ["start", id],
        ["kill", id, "0"],
        ["kill", stopped],
        ["delete", id],
      ]) {
        await pair.same([...root, ...args], { wrap });
        await pair.same(["--log", join(box.path, "closed"), ...root, ...args], { wrap });
      }
    }
    const [one, other] = [await box.create(sleeper()), await box.create(sleeper())];
    for (const args of [["start"], ["kill", "KILL"], ["delete"]]) {
      const [verb = "", ...rest] = args;
      const line = (container: Container) => [...root, verb, container.id, ...rest];
      const engine = outcome(other, await byEngine(line(other), { wrap: closing("<&- >&-") }));
      expect([args, outcome(one, await asItComes(line(one), { wrap: closing("<&- >&-") }))]).toEqual([
        args,
        engine,
      ]);
      if (verb === "kill") for (const each of [one, other]) await each.exit();
    }
    expect([one, other].map((each) => existsSync(join(box.state, each.id)))).toEqual([false, false]);
  });

  oursOnly(
    "standard output is a full device, a pipe that nobody reads, read-only, or full in the midst of it",
    async () => {
      const [{ id }] = await pair.containers();
      expect((await pair.same([...root, "state", id], { wrap: closing("> /dev/full") })).stderr).toContain(
        "ENOSPC",
      );
      expect(
        (await pair.same([...root, "state", id], { wrap: closing("> /dev/full 2> /dev/full") })).status,
      ).toBe(1);
      expect((await pair.same([...root, "state", id], { wrap: closing("1< /dev/null") })).stderr).toContain(
        "EBADF",
      );
      const unread = [
        "bash",
        "-c",
        '{ sleep 0.1; env --default-signal=PIPE "$@"; echo $? >&2; } | true',
        "bash",
      ];
      const broken = await pair.same([...root, "state", id], { wrap: unread });
      expect(broken.stderr).toMatch(/^bunc: write\(.*EPIPE.*\n1\n$/);
      const file = join(box.directory("small"), "file");
      const cut = `ulimit -f 1; head -c 900 /dev/zero > ${file}; exec "$0" "$@" >> ${file}`;
      for (const run of [byEngine, asItComes]) {
        const done = await run([...root, "state", id], { wrap: ["bash", "-c", cut] });
        expect([done.status, done.stderr]).toEqual([1, expect.stringMatching(/^bunc: write\(1.*\n$/)]);
        expect(readFileSync(file)).toHaveLength(1024);
      }
    },
  );

  oursOnly("the log is a FIFO: who reads it sees one end, behind everything", async () => {
    const fifo = join(box.path, "fifo");
    await output(["mkfifo", fifo]);
    const script = `cat ${fifo} & "$0" "$@"; wait`;
    for (const [command, id, said] of [
      ["state", "nothing", "does not exist"],
      ["kill", "nothing", "does not exist"],
    ]) {
      const args = ["--log", fifo, "--log-format", "json", ...root, command ?? "", id ?? ""];
      const done = await asItComes(args, { wrap: ["sh", "-c", script], timeout: 5000 });
      expect(done.stdout).toContain(said ?? "");
    }
  });

  oursOnly("the log is named in bytes that are no text: there is one file", async () => {
    const [{ id }] = await pair.containers();
    const directory = box.directory("bytes");
    const script = `exec "$0" --log "$(printf '${directory}/\\377')" "$@"`;
    for (const run of [asItComes, byEngine]) {
      expect((await run([...root, "state", id], { wrap: ["sh", "-c", script] })).status).toBe(0);
    }
    expect((await output(["ls", directory])).trimEnd().split("\n")).toHaveLength(1);
  });
});

oursOnly("--log of the machine's own log, or of a file with its kind, is the engine's", async () => {
  const [{ id }] = await pair.containers();
  const directory = box.directory("kinds");
  await pair.same(["--log", `file:${directory}/log`, ...root, "state", id], { cwd: directory });
  await pair.same(["--log", "journald:", ...root, "state", id], { cwd: directory });
  await pair.same(["--log", "syslog:bunc", ...root, "state", id], { cwd: directory });
  expect((await output(["ls", directory])).trim()).toBe("log");
  mkdirSync(join(directory, "d"));
  writeFileSync(join(directory, "d/log"), "before\n");
  await pair.same(["--log", "d/log", ...root, "state", id], { cwd: directory });
  expect(readFileSync(join(directory, "d/log"), "utf8")).toBe("before\n");
});
