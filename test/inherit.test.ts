/** What must not pass from the caller, or from the runtime's own engine, into the container. */
import { describe, expect } from "bun:test";
import { closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from "node:fs";
import { processStatus, statusField } from "./support/command.ts";
import { config, shell, sleeper } from "./support/config.ts";
import { pipe, statusFlags } from "./support/libc.ts";
import { runtimePath } from "./support/machine.ts";
import { peersDiffer, rootTest } from "./support/peers.ts";
import { command, workspace } from "./support/workspace.ts";

const box = workspace("inherit");

/** Runs the runtime from a shell that has done something to itself first. */
const after = (script: string): string[] => ["sh", "-c", `${script}; exec "$@"`, "sh"];

/** Lists a program's descriptors. */
const list = config((result) => (result.process.args = ["ls", "-l", "/proc/self/fd"]));

/** The descriptors of a listing, without the directory that ls itself reads. */
const open = (listing: string) => listing.match(/(\d+) -> (?!\/proc\/\d+\/fd$).*/gm) ?? [];

describe("signals", () => {
  const signals = config(
    (result) => (result.process.args = ["grep", "-E", "^Sig(Ign|Blk|Cgt)", "/proc/self/status"]),
  );
  const clean = ["SigBlk", "SigIgn", "SigCgt"].map((name) => `${name}:\t0000000000000000\n`).join("");

  rootTest("none is ignored or blocked", async () => {
    expect((await box.run(signals)).stdout).toBe(clean);
  });

  peersDiffer({ runc: "Go keeps SIGHUP and SIGINT ignored", crun: "it passes on what it got" })(
    "none, even when the caller ignores some",
    async () => {
      expect((await box.run(signals, { wrap: after("trap '' HUP INT TERM PIPE CHLD") })).stdout).toBe(clean);
    },
  );

  rootTest("nor in a container that waits for start and is then started", async () => {
    const container = await box.create(signals);
    expect(await container.finish()).toEqual({ status: 0, stdout: clean, stderr: "" });
  });
});

describe("descriptors", () => {
  rootTest("0, 1 and 2 are all there is", async () => {
    const { stdout } = await box.run(list);
    expect(open(stdout)).toEqual([
      expect.stringMatching(/^0 -> /),
      expect.stringMatching(/^1 -> (pipe|socket):/),
      expect.stringMatching(/^2 -> (pipe|socket):/),
    ]);
  });

  rootTest("those that the caller leaked are closed", async () => {
    const wrap = after("exec 3</etc 5</etc/passwd 9>/dev/null");
    expect(open((await box.run(list, { wrap })).stdout)).toHaveLength(3);
  });

  peersDiffer({ runc: "1.1 keeps them until start", crun: "it keeps them until start" })(
    "even while the container waits for start",
    async () => {
      const container = await box.create(sleeper(), { wrap: after("exec 5</etc/passwd 8>/dev/null") });
      const targets = readdirSync(`/proc/${container.pid}/fd`).map((fd) =>
        readlinkSync(`/proc/${container.pid}/fd/${fd}`),
      );
      expect(targets).not.toContain("/etc/passwd");
      expect(
        targets.filter((target) => target.startsWith(box.path) && !/\/(state|bundle)/.test(target)),
      ).toEqual([]);
      await container.delete();
    },
  );

  rootTest(
    "a leaked write end of its standard input does not keep a container waiting for the end of it",
    async () => {
      const [input, feed] = pipe();
      writeSync(feed, "text\n");
      const container = await box.create(
        config((result) => (result.process.args = ["cat"])),
        { stdin: input, wrap: after("exec 9>/dev/stdin") },
      );
      closeSync(input);
      closeSync(feed);
      expect(await container.finish()).toEqual({ status: 0, stdout: "text\n", stderr: "" });
    },
  );

  rootTest("--preserve-fds N passes 3 and the following", async () => {
    const wrap = after("exec 3</etc/hostname 4</etc/passwd 5</etc/group");
    const { stdout } = await box.run(list, { wrap, flags: ["--preserve-fds=2"] });
    expect(open(stdout).slice(3)).toEqual(["3 -> /etc/hostname", "4 -> /etc/passwd"]);
  });

  rootTest("--preserve-fds also from create to start", async () => {
    const container = await box.create(shell("cat <&3"), {
      wrap: after("exec 3</etc/hostname"),
      flags: ["--preserve-fds", "1"],
    });
    expect((await container.finish()).stdout).toBe(readFileSync("/etc/hostname", "utf8"));
  });

  peersDiffer({ runc: "it fails later, with a message of another kind", crun: "it does not look" })(
    "--preserve-fds of a descriptor that is not open is an error",
    async () => {
      const { status, stderr } = await box.run(config(), { flags: ["--preserve-fds=3"] });
      expect(status).toBe(1);
      expect(stderr).toMatch(/preserve-fds|descriptor/);
    },
  );
});

describe("socket activation", () => {
  const environment = config((result) => (result.process.args = ["env"]));

  peersDiffer({ crun: "1.8 does not pass the variable on" })(
    "LISTEN_FDS passes the descriptors from 3 on, with LISTEN_PID of the container",
    async () => {
      const wrap = after("exec 3</etc/hostname 4</etc/passwd; export LISTEN_FDS=1 LISTEN_PID=$$");
      expect(open((await box.run(list, { wrap })).stdout).slice(3)).toEqual(["3 -> /etc/hostname"]);
      const variables = (await box.run(environment, { wrap })).stdout.split("\n");
      expect(variables).toContain("LISTEN_FDS=1");
      expect(variables).toContain("LISTEN_PID=1");
    },
  );

  peersDiffer({ crun: "1.8 does not pass the variable on" })(
    "the sockets come first, then what --preserve-fds says",
    async () => {
      const wrap = after(
        "exec 3</etc/hostname 4</etc/passwd 5</etc/group; export LISTEN_FDS=1 LISTEN_PID=$$",
      );
      const { stdout } = await box.run(list, { wrap, flags: ["--preserve-fds=1"] });
      expect(open(stdout).slice(3)).toEqual(["3 -> /etc/hostname", "4 -> /etc/passwd"]);
    },
  );

  peersDiffer({ crun: "it does not look at LISTEN_PID" })(
    "sockets that are meant for another process, or no number, are none",
    async () => {
      for (const variables of ["LISTEN_FDS=1 LISTEN_PID=1", "LISTEN_FDS=1", "LISTEN_FDS=x LISTEN_PID=$$"]) {
        const wrap = after(`exec 3</etc/hostname; export ${variables}`);
        expect(open((await box.run(list, { wrap })).stdout)).toHaveLength(3);
        expect((await box.run(environment, { wrap })).stdout).not.toContain("LISTEN_");
      }
    },
  );
});

describe("the flags of shared pipes", () => {
  // Starting a program makes its standard streams blocking; dd can undo that in the program's place.
  const unblock = after(
    "dd count=0 iflag=nonblock oflag=nonblock 2>&-; dd count=0 oflag=nonblock status=none >&2",
  );
  const wraps = { blocking: [], "non-blocking": unblock };

  for (const [kind, wrap] of Object.entries(wraps)) {
    const define = kind === "blocking" ? rootTest : peersDiffer({ runc: "Go makes them blocking" });
    define(`${kind} ones stay so, after every call`, async () => {
      const ends = [pipe(), pipe(), pipe()];
      const [stdin, stdout, stderr] = [ends[0]?.[0] ?? -1, ends[1]?.[1] ?? -1, ends[2]?.[1] ?? -1];
      const expected = kind === "blocking" ? 0 : constants.O_NONBLOCK;
      const { path } = box.bundle(sleeper());
      const id = box.id();
      const calls = [
        ["create", "--bundle", path, id],
        ["start", id],
        ["state", id],
        ["kill", id, "KILL"],
        ["delete", "-f", id],
      ];
      for (const args of calls) {
        expect((await box.runtime(args, { stdin, stdout, stderr, wrap })).status).toBe(0);
        const flags = [stdin, stdout, stderr].map((fd) => statusFlags(fd) & constants.O_NONBLOCK);
        expect([args[0], flags]).toEqual([args[0], [expected, expected, expected]]);
      }
      for (const fd of ends.flat()) closeSync(fd);
    });
  }
});

describe("an empty environment", () => {
  peersDiffer({ crun: "it needs private mounts here, and so nsenter" })(
    "is enough for every call, even with the default root",
    async () => {
      const { path } = box.bundle(sleeper());
      const id = box.id();
      const calls = [
        ["create", "--bundle", path, id],
        ["start", id],
        ["state", id],
        ["kill", id, "KILL"],
        ["delete", "--force", id],
      ];
      for (const [index, args] of calls.entries()) {
        const file = `${path}/out-${index}`;
        const fd = openSync(file, "a+");
        // podman passes the variable with no value.
        const env: Record<string, string> = index % 2 === 0 ? {} : { XDG_RUNTIME_DIR: "" };
        const { status } = await command([runtimePath, ...args], { env, stdout: fd, stderr: fd });
        closeSync(fd);
        const text = readFileSync(file, "utf8");
        expect([args[0], status]).toEqual([args[0], 0]);
        if (args[0] === "state") expect(JSON.parse(text).status).toBe("running");
        else expect(text).toBe("");
      }
    },
  );
});

describe("the parent's death signal", () => {
  rootTest("does not reach init", async () => {
    const container = await box.create(sleeper(), { wrap: ["setpriv", "--pdeathsig=KILL", "--"] });
    await Bun.sleep(50);
    expect(await container.status()).toBe("created");
    await container.start();
    expect(await container.status()).toBe("running");
    await container.delete("--force");
  });
});

describe("the session and the process group", () => {
  rootTest("are init's own, so that a signal to the caller's group does not reach it", async () => {
    const container = await box.create(sleeper());
    const [, group, session] =
      readFileSync(`/proc/${container.pid}/stat`, "utf8").split(") ")[1]?.split(" ").slice(1) ?? [];
    expect(statusField(processStatus(container.pid), "Pid")).toBe(String(container.pid));
    expect([Number(group), Number(session)]).toEqual([container.pid, container.pid]);
    await container.delete();
  });
});
