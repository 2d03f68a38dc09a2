/** What the program may do: capabilities, limits, no_new_privs, the out-of-memory score. */
import { describe, expect } from "bun:test";
import { statusField } from "./support/command.ts";
import { type Change, config, defaultCapabilities } from "./support/config.ts";
import { ownCapabilities } from "./support/machine.ts";
import { peersDiffer, rootTest } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("credentials");

const numbers: Record<string, number> = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_RAW: 13,
  CAP_SYS_ADMIN: 21,
};

/** A set of capabilities as /proc shows it. */
function mask(names: string[]): string {
  const bits = names.reduce((sum, name) => sum | (1n << BigInt(numbers[name] ?? 63)), 0n);
  return bits.toString(16).padStart(16, "0");
}

/** /proc/self/status of a program that a container runs. */
async function ownStatus(change: Change): Promise<string> {
  const { status, stdout, stderr } = await box.run(
    config((result) => {
      result.process.args = ["cat", "/proc/self/status"];
      change(result);
    }),
  );
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

describe("capabilities", () => {
  async function sets(change: Change): Promise<Record<string, string>> {
    const status = await ownStatus(change);
    const names = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
    return Object.fromEntries(names.map((name) => [name, statusField(status, name)]));
  }
  const some = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"];
  const none = mask([]);

  rootTest("of root: each set is what the config says, and inheritable is empty", async () => {
    const all = mask(defaultCapabilities);
    expect(await sets(() => {})).toEqual({
      CapInh: none,
      CapPrm: all,
      CapEff: all,
      CapBnd: all,
      CapAmb: none,
    });
  });

  rootTest("bounding alone bounds what root gets by executing", async () => {
    const result = await sets((changed) => {
      changed.process.capabilities = { bounding: some, effective: [], permitted: [] };
    });
    expect(result).toMatchObject({ CapInh: none, CapBnd: mask(some), CapAmb: none });
  });

  rootTest("none at all", async () => {
    const result = await sets((changed) => (changed.process.capabilities = {}));
    expect(result).toEqual({ CapInh: none, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none });
  });

  rootTest("of another user are lost by executing, but for the ambient ones", async () => {
    const user: Change = (changed) => {
      changed.process.user = { uid: 1000, gid: 1000 };
      changed.process.capabilities = { bounding: some, effective: some, permitted: some };
    };
    expect(await sets(user)).toEqual({
      CapInh: none,
      CapPrm: none,
      CapEff: none,
      CapBnd: mask(some),
      CapAmb: none,
    });
    const ambient = ["CAP_KILL"];
    const result = await sets((changed) => {
      user(changed);
      Object.assign(changed.process.capabilities ?? {}, { inheritable: ambient, ambient });
    });
    expect(result).toEqual({
      CapInh: mask(ambient),
      CapPrm: mask(ambient),
      CapEff: mask(ambient),
      CapBnd: mask(some),
      CapAmb: mask(ambient),
    });
  });

  rootTest("ambient without inheritable is not raised, and no error: buildah sends it so", async () => {
    const result = await sets((changed) => {
      changed.process.user = { uid: 1000, gid: 1000 };
      changed.process.capabilities = { bounding: some, effective: some, permitted: some, ambient: some };
    });
    expect(result).toMatchObject({ CapInh: none, CapAmb: none, CapEff: none });
  });

  rootTest("one that the kernel does not know is left out, with a warning at most", async () => {
    const names = [...some, "CAP_NO_SUCH_THING"];
    const { status, stdout } = await box.run(
      config((changed) => {
        changed.process.args = ["grep", "CapEff", "/proc/self/status"];
        changed.process.capabilities = { bounding: names, effective: names, permitted: names };
      }),
    );
    expect([status, stdout]).toEqual([0, `CapEff:\t${mask(some)}\n`]);
  });

  const lacking = [24, 25, 16, 17].find((number) => (ownCapabilities & (1n << BigInt(number))) === 0n);
  const lackingNames: Record<number, string> = {
    24: "CAP_SYS_RESOURCE",
    25: "CAP_SYS_TIME",
    16: "CAP_SYS_MODULE",
  };
  const unobtainable = lackingNames[lacking ?? -1];
  if (unobtainable !== undefined) {
    peersDiffer({ runc: "1.1 fails", crun: "1.8 fails" })(
      `one that the caller does not have (${unobtainable}) is left out, with a warning at most`,
      async () => {
        const names = [...some, unobtainable];
        const { status, stdout } = await box.run(
          config((changed) => {
            changed.process.args = ["grep", "CapEff", "/proc/self/status"];
            changed.process.capabilities = { bounding: names, effective: names, permitted: names };
          }),
        );
        expect([status, stdout]).toEqual([0, `CapEff:\t${mask(some)}\n`]);
      },
    );
  }
});

describe("noNewPrivileges", () => {
  rootTest("is off unless asked for", async () => {
    expect(statusField(await ownStatus(() => {}), "NoNewPrivs")).toBe("0");
    expect(
      statusField(await ownStatus((result) => (result.process.noNewPrivileges = false)), "NoNewPrivs"),
    ).toBe("0");
  });

  rootTest("is on when asked for", async () => {
    expect(
      statusField(await ownStatus((result) => (result.process.noNewPrivileges = true)), "NoNewPrivs"),
    ).toBe("1");
  });
});

describe("rlimits", () => {
  async function limits(change: Change, wrap: string[] = []): Promise<string> {
    const { status, stdout, stderr } = await box.run(
      config((result) => {
        result.process.args = ["cat", "/proc/self/limits"];
        change(result);
      }),
      { wrap },
    );
    expect([status, stderr]).toEqual([0, ""]);
    return stdout;
  }
  const row = (text: string, name: string) =>
    (new RegExp(`^${name}\\s+(\\S+)\\s+(\\S+)`, "m").exec(text) ?? []).slice(1, 3);

  rootTest("are set, soft and hard", async () => {
    const text = await limits((result) => {
      result.process.rlimits = [
        { type: "RLIMIT_NOFILE", soft: 100, hard: 200 },
        { type: "RLIMIT_CORE", soft: 0, hard: 0 },
        { type: "RLIMIT_NPROC", soft: 300, hard: 400 },
        { type: "RLIMIT_STACK", soft: 1 << 20, hard: 1 << 21 },
      ];
    });
    expect(row(text, "Max open files")).toEqual(["100", "200"]);
    expect(row(text, "Max core file size")).toEqual(["0", "0"]);
    expect(row(text, "Max processes")).toEqual(["300", "400"]);
    expect(row(text, "Max stack size")).toEqual(["1048576", "2097152"]);
  });

  rootTest("unlimited is 2^64 - 1", async () => {
    const { path } = box.bundle();
    const text = JSON.stringify(
      config((result) => {
        result.process.args = ["cat", "/proc/self/limits"];
        result.process.rlimits = [{ type: "RLIMIT_FSIZE", soft: 1, hard: 2 }];
      }),
    ).replace('"soft":1,"hard":2', '"soft":18446744073709551615,"hard":18446744073709551615');
    await Bun.write(`${path}/config.json`, text);
    const { status, stdout } = await box.runtime(["run", "--bundle", path, box.id()]);
    expect(status).toBe(0);
    expect(row(stdout, "Max file size")).toEqual(["unlimited", "unlimited"]);
  });

  rootTest("of the caller stay when the config has none", async () => {
    const wrap = ["prlimit", "--nproc=5000:6000", "--core=0:0", "--"];
    const text = await limits(() => {}, wrap);
    expect(row(text, "Max processes")).toEqual(["5000", "6000"]);
  });

  peersDiffer({ runc: "Go raises it, and runc 1.1 does not restore it" })(
    "the caller's soft limit of open files too, which an engine raises for itself",
    async () => {
      const callers: [expected: string[], ...wrap: string[]][] = [
        [["512", "4096"], "prlimit", "--nofile=512:4096", "--"],
        [["4096", "4096"], "prlimit", "--nofile=4096:4096", "--"],
        // A shell that becomes the runtime, as a unit of systemd does: its parent has another limit.
        [["300", "4096"], "sh", "-c", 'ulimit -Sn 300 && ulimit -Hn 4096 && exec "$@"', "sh"],
      ];
      for (const [expected, ...wrap] of callers)
        expect(row(await limits(() => {}, wrap), "Max open files")).toEqual(expected);
    },
  );

  rootTest("an unknown one is an error that names it", async () => {
    const { status, stderr } = await box.run(
      config((result) => (result.process.rlimits = [{ type: "RLIMIT_NOSUCH", soft: 1, hard: 1 }])),
    );
    expect(status).toBe(1);
    expect(stderr).toContain("RLIMIT_NOSUCH");
  });

  peersDiffer({ runc: "1.1 takes the last", crun: "1.8 takes the last" })(
    "one that is given twice is an error",
    async () => {
      const limit = { type: "RLIMIT_NOFILE", soft: 100, hard: 100 };
      const { status, stderr } = await box.run(config((result) => (result.process.rlimits = [limit, limit])));
      expect(status).toBe(1);
      expect(stderr).toMatch(/RLIMIT_NOFILE|rlimits/);
    },
  );

  rootTest("soft above hard is an error", async () => {
    const { status, stderr } = await box.run(
      config((result) => (result.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 300, hard: 200 }])),
    );
    expect(status).toBe(1);
    expect(stderr).not.toBe("");
  });

  if ((ownCapabilities & (1n << 24n)) === 0n) {
    peersDiffer({
      runc: "its error names neither limit nor values",
      crun: "its error names neither limit nor values",
    })(
      "above the caller's hard limit, without CAP_SYS_RESOURCE, is an error with the limit's name and both values",
      async () => {
        const { status, stderr } = await box.run(
          config((result) => (result.process.rlimits = [{ type: "RLIMIT_NPROC", soft: 1, hard: 1_000_000 }])),
          { wrap: ["prlimit", "--nproc=500:600", "--"] },
        );
        expect(status).toBe(1);
        expect(stderr).toMatch(/RLIMIT_NPROC/);
        expect(stderr).toContain("1000000");
        expect(stderr).toContain("600");
      },
    );
  }
});

describe("oomScoreAdj", () => {
  const score =
    (value: number | undefined): Change =>
    (result) => {
      result.process.args = ["cat", "/proc/self/oom_score_adj"];
      if (value !== undefined) result.process.oomScoreAdj = value;
    };

  rootTest("is set when it is there", async () => {
    for (const value of [100, 1000]) {
      expect((await box.run(config(score(value)))).stdout).toBe(`${value}\n`);
    }
  });

  rootTest("is the caller's when it is not there", async () => {
    const wrap = ["choom", "-n", "321", "--"];
    expect((await box.run(config(score(undefined)), { wrap })).stdout).toBe("321\n");
  });

  rootTest("out of range is an error", async () => {
    for (const value of [1001, -1001]) {
      const { status, stderr } = await box.run(config(score(value)));
      expect([value, status, stderr === ""]).toEqual([value, 1, false]);
    }
  });
});
