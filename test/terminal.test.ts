/** `process.terminal`: the console socket, /dev/console, and `run` on a person's own terminal. */
import { describe, expect } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processStatus, until } from "./support/command.ts";
import { type Change, config, shell, sleeper } from "./support/config.ts";
import { ConsoleSocket } from "./support/console.ts";
import type { Container } from "./support/container.ts";
import { runtimeKind } from "./support/machine.ts";
import { peersDiffer, rootTest } from "./support/peers.ts";
import { OnTerminal } from "./support/pty.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("terminal");

const onTerminal =
  (change: Change = () => {}): Change =>
  (result) => {
    result.process.terminal = true;
    change(result);
  };

/** Creates a container with a terminal, and gives it with the master that the runtime has sent. */
async function createOnTerminal(script: string, change?: Change) {
  const path = join(box.directory("c"), "sock");
  const socket = new ConsoleSocket(path);
  try {
    const container = await box.create(shell(script, onTerminal(change)), {
      flags: ["--console-socket", path],
    });
    return { container, console: await socket.accept() };
  } finally {
    socket.close();
  }
}

async function finish(container: Container): Promise<number> {
  const status = await container.exit();
  await container.delete();
  return status;
}

describe("--console-socket", () => {
  rootTest("receives the master of the container's terminal", async () => {
    const { container, console } = await createOnTerminal("echo printed; exit 5");
    expect(console.payload.length).toBeGreaterThan(0);
    await container.start();
    await console.waitFor("printed\r\n");
    expect(await finish(container)).toBe(5);
    expect(container.stdout + container.stderr).toBe("");
    console.close();
  });

  rootTest("standard input, output and error are that terminal, which is the controlling one", async () => {
    const { container, console } = await createOnTerminal(
      "for fd in 0 1 2; do test -t $fd && echo fd $fd; done; tty; echo reached > /dev/tty; readlink /proc/self/fd/0",
    );
    await container.start();
    await console.waitFor("reached\r\n");
    expect(await finish(container)).toBe(0);
    expect(console.text).toMatch(
      /^fd 0\r\nfd 1\r\nfd 2\r\n\/dev\/(pts\/0|console)\r\nreached\r\n\/dev\/(pts\/0|console)\r\n$/,
    );
    console.close();
  });

  rootTest("what is typed reaches the program, and Ctrl-C interrupts it", async () => {
    const { container, console } = await createOnTerminal(
      "read line; echo got $line; trap 'exit 9' INT; echo ready; while :; do sleep 0.1; done",
    );
    await container.start();
    console.write("some words\n");
    await console.waitFor("got some words\r\n");
    await console.waitFor("ready\r\n");
    console.write("\u0003");
    expect(await finish(container)).toBe(9);
    console.close();
  });

  rootTest("consoleSize is the terminal's first size, and a later one is signalled", async () => {
    const script = "trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.1; done";
    const { container, console } = await createOnTerminal(script, (result) => {
      result.process.consoleSize = { height: 33, width: 111 };
    });
    expect(console.size).toEqual([33, 111]);
    await container.start();
    await console.waitFor("33 111\r\n");
    console.resize(44, 55);
    await console.waitFor("44 55\r\n");
    expect(await finish(container)).toBe(0);
    console.close();
  });

  rootTest("/dev/console is the same terminal", async () => {
    const { container, console } = await createOnTerminal(
      "echo to console > /dev/console; stat -c '%F' /dev/console; grep ' /dev/console ' /proc/self/mountinfo | sed 's/.* - //; s/ .*//'",
    );
    await container.start();
    await console.waitFor("devpts\r\n");
    expect(console.text).toContain("to console\r\ncharacter special file\r\ndevpts\r\n");
    await finish(container);
    console.close();
  });

  rootTest("the terminal is of the container's own devpts, and belongs to its user", async () => {
    const { container, console } = await createOnTerminal(
      "ls -1 /dev/pts; stat -L -c '%u' /proc/self/fd/0; echo x > /dev/tty && echo end",
      (result) => {
        result.process.user = { uid: 1000, gid: 1000 };
      },
    );
    await container.start();
    await console.waitFor("end\r\n");
    expect(console.text.replaceAll("\r", "")).toMatch(/^0\nptmx\n1000\nx\nend\n$/);
    await finish(container);
    console.close();
  });

  rootTest("in a user namespace", async () => {
    const { container, console } = await createOnTerminal("test -t 0 && echo tty $(id -u)", (result) => {
      result.linux.namespaces.push({ type: "user" });
      result.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
      result.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    });
    await container.start();
    await console.waitFor("tty 0\r\n");
    await finish(container);
    console.close();
  });

  rootTest("a hang-up of the master ends a program that reads", async () => {
    const { container, console } = await createOnTerminal("echo ready; cat");
    await container.start();
    await console.waitFor("ready\r\n");
    console.close();
    // Whether it reads an error or the end of the file is a matter of time.
    await finish(container);
  });
});

describe("what does not fit together is an error", () => {
  rootTest("create with a terminal and without a socket", async () => {
    const { status, stderr } = await box.tryCreate(config(onTerminal()));
    expect(status).toBe(1);
    expect(stderr).toMatch(/console.?socket/i);
  });

  peersDiffer({ crun: "1.8 ignores it" })("create with a socket and without a terminal", async () => {
    const path = join(box.directory("c"), "sock");
    const socket = new ConsoleSocket(path);
    const { status, stderr } = await box.tryCreate(config(), { flags: ["--console-socket", path] });
    socket.close();
    expect(status).toBe(1);
    expect(stderr).toMatch(/console.?socket|terminal/i);
  });

  rootTest("a socket that is not there, is no socket, or does not listen", async () => {
    const directory = box.directory("c");
    writeFileSync(join(directory, "file"), "");
    const deaf = new ConsoleSocket(join(directory, "deaf"));
    deaf.close();
    for (const name of ["nothing", "file", "deaf"]) {
      const path = join(directory, name);
      const { status, stderr } = await box.tryCreate(config(onTerminal()), {
        flags: ["--console-socket", path],
      });
      expect([name, status]).toEqual([name, 1]);
      expect(stderr).toMatch(runtimeKind === "bunc" ? path : /./);
    }
  });

  rootTest("a foreground run with a terminal, when the caller has none", async () => {
    const { status, stderr } = await box.run(config(onTerminal()));
    expect(status).toBe(1);
    expect(stderr).not.toBe("");
  });
});

describe("without a terminal", () => {
  rootTest("there is no /dev/console", async () => {
    const { stdout } = await box.run(shell("test -e /dev/console || echo none"));
    expect(stdout).toBe("none\n");
  });

  rootTest("the caller's own terminal is not the container's controlling one", async () => {
    const { path } = box.bundle(shell("echo x > /dev/tty || echo none"));
    const person = new OnTerminal(box.argv(["run", "--bundle", path, box.id()]));
    expect(await person.exit()).toBe(0);
    expect(person.text).toContain("none\r\n");
  });
});

describe("run on a person's terminal", () => {
  function run(script: string, options: { rows?: number; columns?: number } = {}): OnTerminal {
    const { path } = box.bundle(shell(script, onTerminal()));
    return new OnTerminal(box.argv(["run", "--bundle", path, box.id()]), options);
  }

  rootTest("passes what is typed and printed, and the exit status", async () => {
    const person = run("test -t 0 && echo ready; read line; echo got $line; exit 3");
    await person.waitFor("ready\r\n");
    person.write("words\n");
    expect(await person.exit()).toBe(3);
    expect(person.text).toContain("got words\r\n");
  });

  rootTest("Ctrl-C goes to the container", async () => {
    const person = run("trap 'echo caught; exit 4' INT; echo ready; while :; do sleep 0.1; done");
    await person.waitFor("ready\r\n");
    person.write("\u0003");
    expect(await person.exit()).toBe(4);
    expect(person.text).toContain("caught\r\n");
  });

  peersDiffer({ crun: "1.8 sets it late" })("has the person's window size, and follows it", async () => {
    // Peers set it when the program runs already.
    const first = runtimeKind === "bunc" ? "stty size" : "until stty size 2>/dev/null; do sleep 0.05; done";
    const person = run(`${first}; trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.1; done`, {
      rows: 31,
      columns: 97,
    });
    await person.waitFor("ready\r\n");
    expect(person.text).toContain("31 97\r\n");
    person.resize(40, 120);
    await person.waitFor("40 120\r\n");
    expect(await person.exit()).toBe(0);
  });

  rootTest("leaves the terminal as it was", async () => {
    const person = run("echo ready; read line; exit 0");
    const before = person.localFlags;
    await person.waitFor("ready\r\n");
    expect(person.localFlags).not.toBe(before);
    person.write("\n");
    await person.waitFor("ready\r\n");
    for (let wait = 0; wait < 100 && person.localFlags !== before; wait++) await Bun.sleep(20);
    const after = person.localFlags;
    await person.exit();
    expect(after).toBe(before);
  });

  peersDiffer({ runc: "keys are echoed twice then", crun: "keys are echoed twice then" })(
    "after a stop the terminal is as the container needs it, and of the size that it has",
    async () => {
      const person = run("echo ready; read line; stty size; exit 6", { rows: 31, columns: 97 });
      const before = person.localFlags;
      await person.waitFor("ready\r\n");
      const raw = person.localFlags;
      process.kill(person.pid, "SIGSTOP");
      await until("stop", () => processStatus(person.pid).includes("State:\tT"));
      // What a shell does when its job has stopped.
      person.localFlags = before;
      person.resize(40, 120);
      process.kill(person.pid, "SIGCONT");
      await until("raw mode", () => person.localFlags === raw);
      person.write("\n");
      expect(await person.exit()).toBe(6);
      expect(person.text).toContain("40 120\r\n");
    },
  );

  peersDiffer({ runc: "the container waits for ever for a reader", crun: "it leaves the container alone" })(
    "goes on when nobody reads its output any more, and hears keys",
    async () => {
      const { path } = box.bundle(shell("seq 1 100000; echo end > /end; read line; exit 7", onTerminal()));
      const command = box.argv(["run", "--bundle", path, box.id()]).join(" ");
      const person = new OnTerminal(["bash", "-c", `${command} | head -n 1; exit \${PIPESTATUS[0]}`]);
      await until("the end of the output", () => existsSync(join(path, "rootfs/end")));
      person.write("\n");
      expect(await person.exit()).toBe(7);
    },
  );

  rootTest("long output arrives whole", async () => {
    const person = run("seq 1 20000; echo end");
    expect(await person.exit()).toBe(0);
    expect(person.text.endsWith("19999\r\n20000\r\nend\r\n")).toBe(true);
    expect(person.text.split("\r\n").length).toBe(20_002);
  });

  peersDiffer({ runc: "it wants --console-socket", crun: "it wants --console-socket" })(
    "--detach with a terminal is an error that says what is missing",
    async () => {
      const { status, stderr } = await box.run(sleeper(onTerminal()), { flags: ["--detach"] });
      expect(status).toBe(1);
      expect(stderr).toMatch(/console.?socket/i);
    },
  );
});
